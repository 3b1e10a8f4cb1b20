"""Plots of soundtracks: sizes, silent and short films, and one time axis for film and sound."""

import struct
from itertools import pairwise

import numpy as np
import pytest

from frame2sound.evaluation import plots

RATE = 22050
TIMES = np.arange(25) / 12


def film(count=24):
    """Frames whose grey is their number, with a white row that moves down by two per frame."""
    frames = np.zeros((count, 64, 64), np.uint8)
    frames[:] = np.arange(count)[:, None, None]
    for index in range(count):
        frames[index, 2 * index] = 255
    return frames


def sound(seconds=2.0):
    t = np.arange(round(seconds * RATE)) / RATE
    return (0.3 * np.sin(2 * np.pi * 440 * t) * (t > 1)).astype(np.float32)


def png_size(path):
    head = path.read_bytes()[:24]
    assert head[:8] == b"\x89PNG\r\n\x1a\n"
    return struct.unpack(">II", head[16:])


def axes_of(figure, label):
    return [axes for axes in figure.axes if axes.get_label() == label]


def test_a_webp_path_gives_a_webp_which_is_smaller(tmp_path):
    rng = np.random.default_rng(0)
    soundtracks = {"noise": rng.normal(0, 0.1, RATE).astype(np.float32)}
    for name in ("c.png", "c.webp"):
        plots.plot_comparison(tmp_path / name, soundtracks, RATE, film(), TIMES, "one")
    webp = (tmp_path / "c.webp").read_bytes()
    assert webp[:4] + webp[8:12] == b"RIFFWEBP"
    assert len(webp) < (tmp_path / "c.png").stat().st_size / 2


@pytest.mark.parametrize("reference", [None, sound()])
def test_a_plot_of_one_soundtrack_has_1400_x_900_pixels(tmp_path, reference):
    path = tmp_path / "picture"
    plots.plot_soundtrack(path, sound(), RATE, film(), TIMES, "$5 & 1_2", [1.0], reference)
    assert png_size(path) == (1400, 900)


def test_a_comparison_is_higher_with_more_soundtracks(tmp_path):
    sounds = {"shallow": sound(), "deep": 0 * sound(), "$": sound(1.0)}
    for count in (1, 3):
        soundtracks = dict(list(sounds.items())[:count])
        plots.plot_comparison(tmp_path / "c.png", soundtracks, RATE, film(), TIMES, "both")
        assert png_size(tmp_path / "c.png") == (1400, 262 + 212 * count)


@pytest.mark.parametrize("samples", [0, 1, 5, RATE // 100, 2 * RATE])
@pytest.mark.parametrize("level", [0.0, 1e-9, 2.0])
def test_silence_and_single_frames_are_plotted(tmp_path, samples, level):
    path = tmp_path / "few.png"
    flat = np.full(samples, level, dtype=np.float32)
    plots.plot_soundtrack(path, flat, RATE, film(1), TIMES[:2], "a frame", onsets=[])
    assert png_size(path) == (1400, 900)


def test_film_and_sound_have_the_same_time_axis():
    figure = plots.soundtrack_figure(
        {"a": sound(), "b": sound(2.5)}, RATE, film(), TIMES, "title", [1.0]
    )
    assert {axes.get_xlim() for axes in figure.axes} == {(0.0, 2.5)}
    lefts = {(axes.get_position().x0, axes.get_position().x1) for axes in figure.axes}
    assert len(lefts) == 1
    tops = [axes.get_position() for axes in figure.axes]
    assert all(upper.y0 > lower.y1 for upper, lower in pairwise(tops))  # none overlaps


def test_each_frame_of_the_strip_is_on_screen_at_the_middle_of_its_tile():
    figure = plots.soundtrack_figure({"a": sound()}, RATE, film(), TIMES, "title")
    (strip,) = axes_of(figure, "film")
    assert len(strip.images) == 14
    for image in strip.images:
        left, right, _, _ = image.get_extent()
        grey = np.asarray(image.get_array())[63, 0]
        assert TIMES[grey] <= (left + right) / 2 < TIMES[grey + 1]


def test_tiles_are_square_and_missing_after_the_end_of_the_film():
    figure = plots.soundtrack_figure({"a": sound(4.0)}, RATE, film(), TIMES, "title")
    (strip,) = axes_of(figure, "film")
    assert len(strip.images) == 7
    figure.draw_without_rendering()
    box = strip.images[0].get_window_extent()
    assert box.width == pytest.approx(box.height, abs=1)  # pixels


def test_onsets_are_marked_at_their_times():
    figure = plots.soundtrack_figure({"a": sound()}, RATE, film(), TIMES, "title", [0.25, 1.5])
    for label in ("motion", "waveform", "spectrogram"):
        (axes,) = axes_of(figure, label)
        marks = axes.collections[-1].get_segments()
        assert [mark[0][0] for mark in marks] == [0.25, 1.5]


@pytest.mark.parametrize(("seconds", "step"), [(2, 1), (20, 10), (100, 50)])
def test_grid_lines_are_at_as_many_frames_as_fit(seconds, step):
    times = np.arange(24 * seconds + 1) / 24
    frames = np.zeros((24 * seconds, 64, 64), np.uint8)
    figure = plots.soundtrack_figure({"a": sound(seconds)}, RATE, frames, times, "title")
    for label in ("waveform", "spectrogram"):
        (axes,) = axes_of(figure, label)
        lines = [line[0][0] for line in axes.collections[-2].get_segments()]
        assert lines == pytest.approx(times[::step])
    legend = "grey lines: frames" if step == 1 else f"grey lines: {step} frames"
    assert legend in [text.get_text() for text in figure.texts]


def test_a_single_frame_has_no_grid():
    assert plots._grid_step(np.array([0.0, 1e-4]), 0.1) == 0
