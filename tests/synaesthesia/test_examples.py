"""Notes, windows of sound, and drawings from files."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
import soundfile

from frame2sound.errors import SynaesthesiaError
from frame2sound.synaesthesia.drawings import drawings_of_strokes, load_drawings
from frame2sound.synaesthesia.notes import make_notes, write_notes
from frame2sound.synaesthesia.sound_windows import (
    BANDS,
    RATE,
    cut_windows,
    fit_components,
    log_mel,
)
from frame2sound.synaesthesia.sounds import load_sounds
from frame2sound.synaesthesia.squiggles import draw_squiggles, write_squiggles


def test_notes_are_files_that_a_seed_determines(tmp_path: Path) -> None:
    paths = list(write_notes(tmp_path, 4, seed=3))
    assert [path.stem[5:] for path in paths] == ["tone", "swell", "noise", "modulated"]
    for path, (_, note) in zip(paths, make_notes(5, seed=3), strict=False):
        samples, rate = soundfile.read(path)
        assert rate == RATE and len(samples) == RATE
        assert samples == pytest.approx(note, abs=1 / 32768)
    (_, other), *_ = make_notes(1, seed=4)
    assert not np.allclose(samples, other, atol=1e-3)


def test_the_log_mel_spectrum_of_a_sine_has_its_level_in_its_band() -> None:
    sine = 0.1 * np.sin(2 * np.pi * 1000 * np.arange(RATE) / RATE)
    levels = log_mel(sine[None].astype(np.float32))[0]
    mel = 2595 * np.log10(1 + np.array([1000, RATE / 2]) / 700)
    assert levels[20].argmax() == round(mel[0] / mel[1] * (BANDS - 1))
    power = 10 ** (levels[5:-5] / 10)
    assert 10 * np.log10(power.sum(axis=1)) == pytest.approx(-20 + 10 * np.log10(1.5), abs=0.3)
    assert levels.min() == -80


def test_windows_are_a_second_and_a_short_rest_is_left_out() -> None:
    sound = np.arange(2 * RATE + RATE // 2 - 1, dtype=np.float32)
    first, second = cut_windows([sound])
    assert len(first) == len(second) == RATE
    assert second[0] == RATE
    *_, last = cut_windows([np.ones(2 * RATE + RATE // 2, np.float32)])
    assert (len(last), last.sum()) == (RATE, RATE // 2)
    assert list(cut_windows([sound], RATE // 3))[4][0] == 4 * (RATE // 3)
    assert len(list(cut_windows([sound[:100]]))) == 1


@pytest.mark.parametrize("hop", [RATE // 3, RATE, 2 * RATE + 5])
def test_windows_do_not_depend_on_the_blocks_of_a_sound(hop: int) -> None:
    sound = np.arange(7 * RATE + RATE // 3, dtype=np.float32)
    whole = list(cut_windows([sound], hop))
    blocks = np.split(sound, [10, 20_000, 20_000, 95_000, 150_001])
    assert np.array_equal(list(cut_windows(blocks, hop)), whole)
    assert [window[0] for window in whole] == [hop * number for number in range(len(whole))]
    assert len(whole) == (len(sound) - RATE // 2) // hop + 1


def test_of_many_windows_evenly_spaced_ones_are_kept_while_they_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a.wav", "b.wav"):
        soundfile.write(tmp_path / name, np.full(20 * RATE, 0.1), RATE)
    every = [f"{file} {second}" for file in ("a.wav", "b.wav") for second in range(20)]
    monkeypatch.setattr("frame2sound.synaesthesia.sounds.MAX_WINDOWS", 20)
    assert load_sounds([tmp_path]).names == [every[round(39 / 19 * place)] for place in range(20)]
    monkeypatch.setattr("frame2sound.synaesthesia.sounds.MAX_WINDOWS", 5)
    sounds = load_sounds([tmp_path])
    assert sounds.names == ["a.wav 0", "a.wav 8", "a.wav 16", "b.wav 8", "b.wav 16"]
    assert sounds.windows.shape == (5, RATE)


def test_components_are_white_and_invert() -> None:
    rng = np.random.default_rng(0)
    spectra = np.float32(rng.normal(size=(100, 3)) @ rng.normal(size=(3, 42 * 48)) * 5 - 30)
    components = fit_components(spectra.reshape(-1, 42, 48), 3)
    white = components.transform(spectra.reshape(-1, 42, 48))
    assert np.cov(white.T) == pytest.approx(np.eye(3), abs=1e-3)
    assert white.mean(axis=0) == pytest.approx(0, abs=1e-3)
    back = components.invert(white).reshape(spectra.shape)
    assert back == pytest.approx(np.maximum(spectra, -80), abs=0.01)
    assert np.all(np.diff(components.scales) < 0)


def test_sounds_are_read_at_any_rate_and_silence_is_left_out(tmp_path: Path) -> None:
    time = np.arange(2 * 44_100) / 44_100
    tone = 0.2 * np.sin(2 * np.pi * 500 * time) * (time < 1)
    soundfile.write(tmp_path / "tone.wav", np.stack([tone, tone], axis=1), 44_100)
    sounds = load_sounds([tmp_path])
    assert sounds.names == ["tone.wav 0"]
    middle = slice(2000, 20_000)
    expected = 0.2 * np.sin(2 * np.pi * 500 * np.arange(RATE) / RATE)
    assert sounds.windows[0][middle] == pytest.approx(expected[middle], abs=1e-3)
    soundfile.write(tmp_path / "tone.wav", np.zeros(44_100), 44_100)
    with pytest.raises(SynaesthesiaError, match="silence"):
        load_sounds([tmp_path / "tone.wav"])
    with pytest.raises(SynaesthesiaError, match="no such file"):
        load_sounds([tmp_path / "none.wav"])


def test_svg_and_png_of_a_squiggle_are_nearly_the_same_drawing(tmp_path: Path) -> None:
    strokes = draw_squiggles(4, 11)
    drawn = drawings_of_strokes(strokes)
    list(write_squiggles(tmp_path, 4, seed=11))
    read = load_drawings([tmp_path])
    assert read.names == ["0000.svg", "0001.svg", "0002.svg", "0003.svg"]
    assert read.rasters == pytest.approx(drawn.rasters, abs=0.01)
    assert read.measures == pytest.approx(drawn.measures, abs=0.01)
    for number, raster in enumerate(drawn.rasters):
        page = 255 * (1 - cv2.resize(raster[0], (256, 256), interpolation=cv2.INTER_CUBIC))
        cv2.imwrite(str(tmp_path / f"{number:04d}.png"), np.clip(page, 0, 255))
        (tmp_path / f"{number:04d}.svg").unlink()
    pictures = load_drawings([tmp_path])
    assert pictures.rasters == pytest.approx(drawn.rasters, abs=0.12)
    assert pictures.measures[:, 0] == pytest.approx(drawn.measures[:, 0], abs=0.25)


def test_lines_of_endless_length_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Sides are divided for the raster, a long one into 256 parts."""
    line = "<path d='M0 0L999 0L0 1Z' fill='none' stroke='#000'/>"
    text = f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 1 1'>{line}</svg>"
    (tmp_path / "long.svg").write_text(text)
    monkeypatch.setattr("frame2sound.synaesthesia.drawings.MAX_DIVIDED_POINTS", 576)
    assert len(load_drawings([tmp_path])) == 1
    monkeypatch.setattr("frame2sound.synaesthesia.drawings.MAX_DIVIDED_POINTS", 575)
    with pytest.raises(
        SynaesthesiaError, match=r"long\.svg: got lines of more than 575 points, 64"
    ):
        load_drawings([tmp_path])


def test_light_lines_on_dark_paper_are_ink(tmp_path: Path) -> None:
    page = np.full((128, 128), 20, np.uint8)
    cv2.circle(page, (64, 64), 32, 250, 4)
    cv2.imwrite(str(tmp_path / "dark.png"), page)
    raster = load_drawings([tmp_path / "dark.png"]).rasters[0, 0]
    assert raster[16, 24] > 0.6 and raster[16, 16] < 0.05


def test_a_photograph_and_an_empty_folder_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SynaesthesiaError, match="no drawings"):
        load_drawings([tmp_path])
    noise = np.random.default_rng(0).integers(0, 255, (64, 64, 3), np.uint8)
    cv2.imwrite(str(tmp_path / "photo.png"), cv2.resize(noise[:4, :4], (64, 64)))
    with pytest.raises(SynaesthesiaError, match=r"photo\.png.*photograph"):
        load_drawings([tmp_path])
    (tmp_path / "photo.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(100))
    with pytest.raises(SynaesthesiaError, match=r"photo\.png"):
        load_drawings([tmp_path])


@pytest.mark.parametrize("size", [(160, 90), (64, 128)])
def test_frames_of_a_film_keep_their_shape_as_pictures_do(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    page = np.full((*size[::-1], 3), 255, np.uint8)
    cv2.circle(page, (size[0] // 2, size[1] // 2), 25, (0, 0, 0), 4)
    with av.open(str(tmp_path / "film.mkv"), "w") as film:
        stream = film.add_stream("ffv1", rate=10)
        stream.width, stream.height = size
        stream.pix_fmt = "bgr0"
        film.mux(stream.encode(av.VideoFrame.from_ndarray(page, "bgr24")))
        film.mux(stream.encode())
    cv2.imwrite(str(tmp_path / "page.png"), page)
    of_film = load_drawings([tmp_path / "film.mkv"])
    picture = load_drawings([tmp_path / "page.png"])
    assert of_film.rasters == pytest.approx(picture.rasters, abs=0.15)
    assert of_film.measures[:, 0] == pytest.approx(picture.measures[:, 0], abs=0.1)


def test_pixels_that_are_not_square_are_drawn_as_they_are_shown(tmp_path: Path) -> None:
    page = np.full((64, 256, 3), 255, np.uint8)
    cv2.circle(page, (128, 32), 25, (0, 0, 0), 4)
    for name, columns in (("wide", 256), ("squeezed", 64)):
        with av.open(str(tmp_path / f"{name}.mkv"), "w") as film:
            stream = film.add_stream("libx264", rate=10, options={"crf": "1"})
            stream.width, stream.height, stream.pix_fmt = columns, 64, "yuv444p"
            stream.codec_context.sample_aspect_ratio = Fraction(256, columns)
            seen = cv2.resize(page, (columns, 64), interpolation=cv2.INTER_AREA)
            film.mux(stream.encode(av.VideoFrame.from_ndarray(seen, "bgr24")))
            film.mux(stream.encode())
    wide, squeezed = (load_drawings([tmp_path / f"{n}.mkv"]) for n in ("wide", "squeezed"))
    assert squeezed.rasters == pytest.approx(wide.rasters, abs=0.15)
    assert squeezed.measures[:, 0] == pytest.approx(wide.measures[:, 0], abs=0.1)


def test_frames_of_a_film_are_drawings_five_a_second(tmp_path: Path) -> None:
    with av.open(str(tmp_path / "film.mkv"), "w") as film:
        stream = film.add_stream("ffv1", rate=10)
        stream.width = stream.height = 128
        stream.pix_fmt = "bgr0"
        for number in range(10):
            page = np.full((128, 128, 3), 255, np.uint8)
            cv2.circle(page, (64, 64), 20 + 2 * number, (0, 0, 0), 5)
            film.mux(stream.encode(av.VideoFrame.from_ndarray(page, "bgr24")))
        film.mux(stream.encode())
    drawings = load_drawings([tmp_path / "film.mkv"])
    assert drawings.names == [f"film.mkv {number}" for number in (0, 2, 4, 6, 8)]
    radii = np.exp(drawings.measures[:, 0]) * 128
    assert radii == pytest.approx([20 + 2.5 + 2 * number for number in (0, 2, 4, 6, 8)], abs=1.5)
