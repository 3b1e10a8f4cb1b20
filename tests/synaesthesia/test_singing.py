"""What is heard in drawings becomes sound: the learned clips, or phases for predicted spectra."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from frame2sound.synaesthesia import heard_drawings
from frame2sound.synaesthesia.heard_drawings import (
    HeardSpectra,
    frames_shown,
    hear_drawings,
    hear_rasters,
)
from frame2sound.synaesthesia.pair import Pair
from frame2sound.synaesthesia.pair_file import load_pair
from frame2sound.synaesthesia.singing import Clips, sing, sing_by_mosaic, sing_by_phase
from frame2sound.synaesthesia.sliding_windows import sliding_windows
from frame2sound.synaesthesia.sound_windows import FLOOR_DB, RATE, log_mel, window_levels_db
from tests.synaesthesia.untrained import write_pair

RNG = np.random.default_rng(0)
SECONDS = np.arange(RATE) / RATE
SOUNDS = np.stack(
    [
        0.1 * np.sin(2 * np.pi * 440 * SECONDS),
        0.1 * np.sin(2 * np.pi * 3000 * SECONDS),
        0.05 * RNG.standard_normal(RATE),
    ]
).astype(np.float32)
SPECTRA = log_mel(SOUNDS)
COMPONENTS = np.eye(3, 20, dtype=np.float32)
CLIPS = Clips(
    SOUNDS, COMPONENTS, window_levels_db(SPECTRA)
)  # fmt: skip


def test_drawings_sound_as_the_nearest_clips_as_loud_as_they_are_heard() -> None:
    order = [2, 0]
    heard = 0.9 * COMPONENTS[order] + 0.05
    louder = SPECTRA[order] + np.array([0, 6], np.float32)[:, None, None]
    sound = sing_by_mosaic(CLIPS, heard, louder, None)
    assert len(sound) == 2 * RATE
    inside = slice(500, RATE - 500)
    assert np.abs(sound[:RATE][inside] - SOUNDS[2][inside]).max() < 1e-4
    assert np.abs(sound[RATE:][inside] - 10 ** (6 / 20) * SOUNDS[0][inside]).max() < 1e-3
    far_louder = sing_by_mosaic(CLIPS, heard, SPECTRA[order] + 40, None)
    assert np.abs(far_louder[RATE:]).max() == pytest.approx(0.1 * 10 ** (12 / 20), rel=1e-3)


def test_a_film_of_one_sound_is_that_sound_without_gaps() -> None:
    frames = 60
    heard = np.tile(COMPONENTS[:1], (frames, 1))
    sound = sing_by_mosaic(CLIPS, heard, np.tile(SPECTRA[:1], (frames, 1, 1)), Fraction(25))
    assert len(sound) == round(frames / 25 * RATE)
    # 440 Hz has whole periods in half a second, so the crossfaded clips agree
    expected = 0.1 * np.sin(2 * np.pi * 440 * (np.arange(len(sound)) / RATE))
    assert np.abs(sound - expected).max() < 1e-3


@pytest.mark.parametrize("fps", [None, Fraction(24000, 1001)])
def test_phases_give_the_levels_that_were_heard(fps: Fraction | None) -> None:
    count = 1 if fps is None else 48
    sound = sing_by_phase(np.tile(SPECTRA[2:], (count, 1, 1)), fps)
    assert len(sound) == (RATE if fps is None else round(48 / fps * RATE))
    heard = log_mel(sound[-RATE:][None])[0, 4:-4]
    power = 10 * np.log10((10 ** (heard / 10)).mean(axis=0))
    wanted = 10 * np.log10((10 ** (SPECTRA[2] / 10)).mean(axis=0))
    assert np.abs(power - wanted)[1:-1].mean() < 1.5


def test_a_burst_in_a_film_is_heard_when_its_windows_show_it() -> None:
    sound, fps = np.zeros(2 * RATE, np.float32), Fraction(24)
    begin = round(1.2 * RATE)
    sound[begin : begin + RATE // 10] = 0.2 * RNG.standard_normal(RATE // 10)
    heard = sing_by_phase(log_mel(np.stack(list(sliding_windows([sound], fps)))), fps)
    power = np.square(heard.astype(np.float64))
    middle = (power * np.arange(len(heard))).sum() / power.sum() / RATE
    assert middle == pytest.approx(1.25, abs=0.03)


@pytest.mark.parametrize("fps", [Fraction(1), Fraction(1, 3)])
def test_a_film_of_few_frames_is_no_louder_than_it_is_heard(fps: Fraction) -> None:
    sound = sing_by_phase(np.tile(SPECTRA[2:], (3, 1, 1)), fps)
    assert len(sound) == 3 / fps * RATE
    assert np.abs(sound).max() < 2 * np.abs(SOUNDS[2]).max()


@pytest.mark.parametrize(
    ("rate", "repeated"),
    [(Fraction(25), 1), (Fraction(24000, 1001), 1), (Fraction(4), 3), (Fraction(1, 2), 20)],
)
def test_a_film_of_constant_rate_is_heard_frame_by_frame(rate: Fraction, repeated: int) -> None:
    ends = [(frame + 1) / rate for frame in range(150)]
    shown, fps = frames_shown(ends, rate)
    assert shown.tolist() == np.arange(150).repeat(repeated).tolist()
    assert fps == rate * repeated


def test_a_film_of_many_frames_is_heard_a_hundred_times_a_second() -> None:
    shown, fps = frames_shown([Fraction(frame + 1, 300) for frame in range(30)], Fraction(300))
    assert (shown.tolist(), fps) == ([*range(1, 30, 3)], 100)


def test_a_film_of_varying_rate_sounds_as_long_as_it_is(tmp_path: Path) -> None:
    write_pair(tmp_path / "pair.safetensors")
    pair = load_pair(tmp_path / "pair.safetensors")
    with av.open(str(tmp_path / "film.mkv"), "w") as film:
        stream = film.add_stream("ffv1", rate=25)
        stream.width = stream.height = 64
        stream.pix_fmt = "bgr0"
        stream.codec_context.time_base = stream.time_base = Fraction(1, 25)
        for number, at in enumerate((0, 1, 30, 49)):
            page = np.full((64, 64, 3), 255, np.uint8)
            if number % 2 == 0:
                cv2.circle(page, (32, 32), 10 + 5 * number, (0, 0, 0), 3)
            frame = av.VideoFrame.from_ndarray(page, "bgr24")
            frame.pts, frame.time_base = at, Fraction(1, 25)
            film.mux(stream.encode(frame))
        film.mux(stream.encode())
    heard, frames = hear_drawings(pair, tmp_path / "film.mkv")
    assert frames == 4
    empty = [*[False] * 1, *[True] * 29, *[False] * 19, True]
    assert heard.is_empty.tolist() == empty
    assert len(np.unique(heard.components[30:49], axis=0)) == 1
    assert len(sing(pair, heard)) == len(sing(pair, heard, "random")) == 2 * RATE


def test_rasters_are_read_a_few_at_a_time_and_empty_pages_are_silent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_pair(tmp_path / "pair.safetensors")
    pair = load_pair(tmp_path / "pair.safetensors")
    monkeypatch.setattr(heard_drawings, "BATCH", 3)
    lengths, read = [], Pair.read

    def counted(self: Pair, rasters: np.ndarray) -> np.ndarray:
        lengths.append(len(rasters))
        return read(self, rasters)

    monkeypatch.setattr(Pair, "read", counted)
    pages = (np.full((1, 32, 32), 0.1 * (number % 2), np.float32) for number in range(8))
    heard = hear_rasters(pair, pages)
    assert lengths == [3, 3, 2]
    assert heard.is_empty.tolist() == [True, False] * 4
    spectra = HeardSpectra(pair, heard)
    assert spectra[2:4].shape == (2, 42, 48)
    assert (spectra[np.array([4])] == FLOOR_DB).all()
    assert np.array_equal(spectra[5:6], pair.spectra(heard.components[5:6]))


def test_silence_stays_silent() -> None:
    silent = log_mel(np.zeros((1, RATE), np.float32))
    assert np.abs(sing_by_phase(silent, None)).max() == 0
