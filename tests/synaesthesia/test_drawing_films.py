"""Strokes are painted as wide as they are, move with the sound, and become films in sync."""

from __future__ import annotations

import math
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest
import resvg_py
import soundfile

from frame2sound.errors import SynaesthesiaError
from frame2sound.film.decoding.reader import FilmReader
from frame2sound.synaesthesia.drawing_film import Voices, write_film
from frame2sound.synaesthesia.moving_drawing import MovingDrawing, in_hues, split_bands
from frame2sound.synaesthesia.painter import paint_strokes
from frame2sound.synaesthesia.sliding_windows import second_around, sliding_windows
from frame2sound.synaesthesia.sound_windows import BANDS, FLOOR_DB, FRAMES, RATE, log_mel
from frame2sound.synaesthesia.stroke import SHAPE_VALUES
from frame2sound.synaesthesia.svg_writer import stroke_svg


def circle(radius: float = 0.25, width: float = 0.05, ink: tuple[float, ...] = (1.0,)):
    shape = np.zeros(SHAPE_VALUES, np.float32)
    shape[:2], shape[2], shape[-1] = 0.5, math.log(radius), math.log(width)
    return np.concatenate([shape, np.float32(ink)])


def draw_levels(spectra):
    """Return circles: the louder, the larger."""
    levels = 10 ** (spectra.max(axis=(1, 2)) / 20)
    return np.stack([circle(0.02 + 0.3 * float(min(level, 1))) for level in levels])


@pytest.mark.parametrize("size", [64, 200])
def test_a_circle_has_the_area_of_its_ring(size: int) -> None:
    picture = paint_strokes(circle()[None], size)
    ink = 1 - picture[..., 0] / 255
    assert ink.sum() / size**2 == pytest.approx(2 * math.pi * 0.25 * 0.05, rel=0.03)
    assert (picture[size // 2, size // 2] == 255).all()
    assert (picture == picture[::-1, ::-1]).mean() > 0.95


def test_strokes_are_laid_over_each_other_as_inks_are() -> None:
    red, grey = circle(ink=(0, 1, 1)), circle(ink=(0.5, 0.5, 0.5))
    ring = 32, round(0.75 * 64)
    assert paint_strokes(red[None], 64)[ring].tolist() == [255, 0, 0]
    assert paint_strokes(np.stack([red, grey]), 64)[ring].tolist() == [128, 0, 0]
    assert (paint_strokes(circle(ink=(0, 0, 0))[None], 64) == 255).all()
    page = bytes(resvg_py.svg_to_bytes(svg_string=stroke_svg(np.stack([red, grey]))))
    blue, green, level, _ = cv2.imdecode(np.frombuffer(page, np.uint8), -1)[128, 192]
    assert (level, green, blue) == (128, 0, 0)


@pytest.mark.parametrize("fps", [Fraction(25), Fraction(30000, 1001), Fraction(1, 2)])
def test_windows_slide_around_the_middles_of_frames(fps: Fraction) -> None:
    sound = np.random.default_rng(0).standard_normal(70_001).astype(np.float32)
    padded = np.concatenate([np.zeros(RATE, np.float32), sound, np.zeros(3 * RATE, np.float32)])
    cuts = [5, 900, 30_000, 30_001]
    windows = list(sliding_windows(np.split(sound, cuts), fps))
    assert len(windows) == math.ceil(len(sound) / RATE * fps)
    for frame, window in enumerate(windows):
        middle = round((frame + Fraction(1, 2)) / fps * RATE)
        assert np.array_equal(window, padded[RATE + middle - RATE // 2 :][:RATE])


def test_windows_beyond_the_end_are_seconds_too(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", np.full(5 * RATE, 0.1), RATE)
    soundfile.write(tmp_path / "b.wav", np.full(RATE, 0.1), RATE)
    voices = Voices.open([tmp_path / "a.wav", tmp_path / "b.wav"])
    (only,) = voices.windows(Fraction(1, 10))
    assert only.shape == (2, RATE)
    assert np.count_nonzero(only, axis=1).tolist() == [RATE // 2, 0]


@pytest.mark.parametrize("at", ["0", "0.3", "1.23", "3.17", "9"])
def test_a_second_is_cut_around_its_middle(at: str) -> None:
    sound = np.random.default_rng(0).standard_normal(70_001).astype(np.float32)
    padded = np.concatenate([np.zeros(RATE, np.float32), sound, np.zeros(9 * RATE, np.float32)])
    blocks = iter(np.split(sound, [5, 900, 30_000, 69_000]))
    middle = RATE + round(Fraction(at) * RATE)
    expected = padded[middle - RATE // 2 :][:RATE]
    assert np.array_equal(second_around(blocks, Fraction(at)), expected)


def test_a_sound_of_whole_frames_has_no_window_more() -> None:
    assert len(list(sliding_windows([np.zeros(2 * RATE, np.float32)], Fraction(25)))) == 50


def test_a_film_of_few_frames_has_the_whole_sound(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", np.full(55_000, 0.25), 44_100, "PCM_16")
    film, fps = tmp_path / "a.mkv", Fraction(1)
    voices = Voices.open([tmp_path / "a.wav"])
    assert write_film(film, voices, MovingDrawing(draw_levels, 1), fps, 32) == 2
    sound = np.concatenate([chunk.samples for chunk in FilmReader(film, 44_100).audio_chunks()])
    assert len(sound) == 55_000
    assert np.abs(sound - 0.25).max() < 1e-3


def test_voices_are_the_parts_of_the_bands() -> None:
    spectra = np.random.default_rng(1).uniform(-60, 0, (2, FRAMES, BANDS)).astype(np.float32)
    split = split_bands(spectra, 5).reshape(2, 5, FRAMES, BANDS)
    assert np.array_equal(split.max(axis=1), spectra)
    assert ((split > FLOOR_DB).sum(axis=1) == 1).all()
    assert np.array_equal(split_bands(spectra, 1), spectra)


def test_strokes_are_smoothed_and_silence_leaves_no_ink() -> None:
    tone = np.sin(2 * np.pi * 2500 * np.arange(RATE) / RATE) * np.hanning(RATE)
    tone = tone.astype(np.float32)
    drawing = MovingDrawing(draw_levels, fps=25, smoothing_seconds=0.2)
    first = drawing.frame(0.5 * tone[None])
    quiet = drawing.frame(0 * tone[None])
    alone = draw_levels(log_mel(0 * tone[None]))
    share = math.exp(-1 / (25 * 0.2))
    assert quiet[0, 2] == pytest.approx(share * first[0, 2] + (1 - share) * alone[0, 2], rel=1e-5)
    assert first[0, SHAPE_VALUES] == 1
    assert quiet[0, SHAPE_VALUES] == 0
    several = MovingDrawing(draw_levels, fps=25, voices=3).frame(0.5 * tone[None])
    assert several.shape == (3, SHAPE_VALUES + 3)
    assert several[[0, 2], SHAPE_VALUES:].max() == 0
    assert several[1, SHAPE_VALUES:].max() > 0.5


def test_hues_differ_and_colours_stay() -> None:
    hues = in_hues(np.stack([circle()] * 4))
    assert len({tuple(np.round(ink, 3)) for ink in hues[:, SHAPE_VALUES:]}) == 4
    coloured = np.stack([circle(ink=(0.1, 0.2, 0.3))] * 2)
    assert in_hues(coloured) is coloured


def test_a_film_is_as_long_as_its_sounds_and_in_sync(tmp_path: Path) -> None:
    long, short = np.zeros((48_000 * 2, 2)), np.zeros(24_000)
    long[48_000:52_800] = 0.25
    short[:6000] = 0.5
    soundfile.write(tmp_path / "long.wav", long, 48_000, "PCM_24")
    soundfile.write(tmp_path / "short.wav", short, 24_000, "PCM_24")
    voices = Voices.open([tmp_path / "long.wav", tmp_path / "short.wav"])
    film = tmp_path / "drawn.mkv"
    assert write_film(film, voices, MovingDrawing(draw_levels, 25), Fraction(25), 128) == 50
    reader = FilmReader(film, 48_000, channels=2)
    assert (reader.streams.width, reader.streams.height) == (128, 128)
    sound = np.concatenate([chunk.samples for chunk in reader.audio_chunks()])
    assert len(sound) == 96_000
    assert np.abs(sound[2000:10_000] - 0.5).max() < 1e-3
    assert np.abs(sound[48_000:52_800] - 0.25).max() < 1e-3
    assert np.abs(sound[60_000:]).max() < 1e-3
    ink = [255 - frame.picture.mean() for frame in FilmReader(film).read(True, with_audio=False)]
    # Sound ends at 1.1 s; the last window around a frame that has some of it begins before.
    assert [level > 1 for level in ink] == [(frame + 0.5) / 25 < 1.6 for frame in range(50)]
    with pytest.raises(SynaesthesiaError, match="exists"):
        write_film(film, voices, MovingDrawing(draw_levels, 25), Fraction(25), 128)
    with pytest.raises(SynaesthesiaError, match=r"\.webm cannot hold an H.264"):
        write_film(tmp_path / "a.webm", voices, MovingDrawing(draw_levels, 25), Fraction(25), 64)
