"""Live drawings are those of the last second, of a file to the bit, and of what a card hears."""

from __future__ import annotations

import json
import os
import subprocess
from fractions import Fraction
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
import soundfile

import frame2sound as f2s
from frame2sound.api.sound_drawing import draw_sound, moving_drawing
from frame2sound.errors import SoundtrackError
from frame2sound.sound.resampler import resample
from frame2sound.synaesthesia.live_drawing import LiveDrawing
from frame2sound.synaesthesia.live_windows import LiveWindow, card_windows, trailing_windows
from frame2sound.synaesthesia.moving_drawing import MovingDrawing
from frame2sound.synaesthesia.sound_windows import RATE
from frame2sound.synaesthesia.svg_writer import stroke_svg
from tests.commanding import run
from tests.live.jack import dummy_jack
from tests.synaesthesia.untrained import write_pair, write_sound

RNG = np.random.default_rng(0)
WORDS = ("synaesthesia", "live", "sound.wav", "--pair", "pair.safetensors")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("live")
    write_pair(folder / "pair.safetensors")
    write_sound(folder / "sound.wav", seconds=1.2, sample_rate=RATE)
    return folder


@pytest.mark.parametrize("fps", [Fraction(30), Fraction(30000, 1001), Fraction(3)])
def test_windows_end_in_the_middles_of_frames_and_come_with_their_sound(fps: Fraction) -> None:
    sound = RNG.standard_normal(40_000).astype(np.float32)
    padded = np.concatenate([np.zeros(RATE), sound, np.zeros(RATE)]).astype(np.float32)
    given = 0

    def blocks():
        nonlocal given
        for begin in range(0, len(sound), 100):
            given = min(begin + 100, len(sound))
            yield sound[begin:given]

    for frame, window in enumerate(trailing_windows(blocks(), fps)):
        end = round((frame + Fraction(1, 2)) / fps * RATE)
        assert np.array_equal(window, padded[end : end + RATE])
        assert given <= min(end + 100, len(sound))
    assert frame == -(-(len(sound) + RATE // 2) * fps // RATE) - 1


def test_offline_gives_what_draw_gives_half_a_second_earlier_to_the_bit(folder: Path) -> None:
    words = ("--offline", "--smoothing", "0", "--voices", "2", "--fps", "24")
    shown = run(folder, *WORDS, *words, "--record", "live", "--report", "report.json")
    assert shown.returncode == 0, shown.stderr
    assert shown.stdout.splitlines()[0] == "sound.wav  1.688 s  41 drawings of 2 strokes, 0 skipped"
    assert "  delay 500 ms, half of the second that is drawn, and " in shown.stdout
    report = json.loads((folder / "report.json").read_text())
    counts = [report[key] for key in ("audio", "frames", "strokes", "delay_ms", "skipped_frames")]
    assert counts == ["offline", 41, 2, 500, 0]
    assert 0 < report["processor"]["median_ms"] <= report["computing"]["max_ms"]
    draw_sound(
        folder / "sound.wav", folder / "drawn", pair=folder / "pair.safetensors",
        fps=24, voices=2, smoothing_seconds=0,
    )  # fmt: skip
    drawn, live = (sorted((folder / name).iterdir()) for name in ("drawn", "live"))
    assert [path.read_text() for path in live[12:]] == [path.read_text() for path in drawn]
    assert live[20].read_text() != live[30].read_text()


def test_python_gives_the_strokes_of_the_last_second_smoothed(folder: Path) -> None:
    sound, _ = soundfile.read(folder / "sound.wav", dtype="float32")
    drawing = moving_drawing(folder / "pair.safetensors", 24, 1, 0.2)
    mono = sound.mean(axis=1, dtype=np.float32)
    expected = [drawing.frame(each[None]) for each in trailing_windows([mono], Fraction(24))]
    seen: list = []
    result = f2s.draw_live(
        folder / "sound.wav", pair=folder / "pair.safetensors", fps=24, smoothing_seconds=0.2,
        offline=True, max_seconds=1, on_drawing=seen.append,
    )  # fmt: skip
    assert isinstance(result, f2s.LiveDrawingResult)
    assert (result.frames, len(seen), len(expected)) == (24, 24, 41)
    assert [each.middle_seconds for each in seen[:2]] == [Fraction(-23, 48), Fraction(-21, 48)]
    for each, strokes in zip(seen, expected, strict=False):
        assert np.array_equal(each.strokes, strokes)
        assert stroke_svg(each.strokes) == stroke_svg(strokes)


def test_windows_that_are_late_by_more_than_a_frame_are_left_out() -> None:
    seen: list[int] = []
    drawing = MovingDrawing(lambda spectra: np.zeros((1, 37), np.float32), 10)
    session = LiveDrawing(drawing, Fraction(10), [lambda drawn: seen.append(drawn.frame)])
    silence = np.zeros(RATE, np.float32)
    late = [0.0, 0.09, 0.11, 2.0, 0.0, 0.0]
    session.run((LiveWindow(silence, each) for each in late), max_seconds=0.5)
    assert (seen, session.frames, session.skipped) == ([0, 1, 4], 3, 2)
    assert session.seconds == 0.45
    assert session.delay.summary()["max_ms"] > 90


def test_a_card_is_read_as_far_as_each_window_needs() -> None:
    class Card:
        sample_rate, waiting_samples, position = 48_000, 480, 0
        sound = RNG.uniform(-1, 1, 96_000).astype(np.float32)

        def read(self, count):
            self.position += count
            return self.sound[self.position - count : self.position]

    card = Card()
    whole = np.concatenate(list(resample([card.sound], (48_000, RATE), 0, 0, 2 * RATE)))
    padded = np.concatenate([np.zeros(RATE, np.float32), whole])
    for frame, window in enumerate(islice(card_windows(card, Fraction(30)), 40)):
        end = round((frame + Fraction(1, 2)) / 30 * RATE)
        assert np.allclose(window.samples, padded[end : end + RATE], atol=1e-6)
        assert window.late_seconds == 0.01
        assert card.position <= end / RATE * 48_000 + 73


def test_what_jack_plays_comes_in_and_is_drawn(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from frame2sound.live.pyo_input import PyoInput
    from frame2sound.rendering.granular.pyo_engine import quiet_pyo

    noise = RNG.uniform(-1, 1, 4096).astype(np.float32)
    with dummy_jack(tmp_path, f"f2s-draw-{os.getpid()}") as found:
        for name, value in found.items():
            monkeypatch.setenv(name, value)
        with PyoInput("jack") as card:
            pyo = quiet_pyo()
            table = pyo.DataTable(len(noise), init=noise.tolist())
            played = pyo.TableRead(table, freq=48_000 / len(noise), loop=1, interp=1)
            played.out(0)
            wires = [("frame2sound:output_1", f"frame2sound:input_{channel}") for channel in (1, 2)]
            for wire in wires:
                subprocess.run(["jack_connect", *wire], check=True)
            heard = np.concatenate([card.read(1600) for _ in range(12)])
            assert (card.audio, card.sample_rate) == ("jack", 48_000)
        result = f2s.draw_live(
            pair=folder / "pair.safetensors", audio="jack", max_seconds=0.2, browser=False,
            on_ready=lambda address: None,
        )  # fmt: skip
    assert (result.source, result.audio) == ("sound card", "jack")
    assert result.frames + result.skipped_frames == 6
    looped = np.tile(noise, 2)
    places = np.flatnonzero(np.isin(heard[:-1000], noise[:1]))
    assert any(np.array_equal(heard[at : at + 1000], looped[:1000]) for at in places)


def test_a_card_that_stops_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    from frame2sound.live import pyo_input

    card = object.__new__(pyo_input.PyoInput)
    card._blocks, card._position, card._block = 3, 100, 256
    card._table, card.sample_rate, card.lost_samples = np.arange(1024.0), 48_000, 0
    card.audio = "jack"
    assert card.read(412).tolist() == list(range(100, 512))
    card._blocks = 12  # of 2816 samples that have come, 768 are neither overwritten nor in writing
    assert card.read(2).tolist() == [(2816 - 768) % 1024, (2816 - 767) % 1024]
    assert card.lost_samples == 2816 - 768 - 512
    card.forget()
    assert card.waiting_samples == 0
    monkeypatch.setattr(pyo_input, "PATIENCE_SECONDS", 0.0)
    with pytest.raises(SoundtrackError, match="no sound has come from jack for 0 s"):
        card.read(2000)


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        ((*WORDS[:2], *WORDS[3:], "--offline"), 2, "--offline does nothing with a sound card"),
        ((*WORDS, "--offline", "--port", "9000"), 2, "--port does nothing with --offline"),
        ((*WORDS, "--audio", "jack"), 2, "--audio jack does nothing with a sound file"),
        ((*WORDS, "--fps", "500"), 2, "got --fps 500, expected 1 to 120"),
        ((*WORDS, "--max-seconds", "0"), 2, "expected more than 0"),
        ((*WORDS, "--offline", "--report", "sound.wav"), 1, "sound.wav exists already"),
        ((*WORDS, "--offline", "--record", "."), 1, "exists already"),
        ((*WORDS[:2], "none.wav", *WORDS[3:], "--offline"), 1, "no such file"),
        ((*WORDS[:3], "--pair", "sound.wav"), 1, "sound.wav is not a pair"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(folder, words, code, said) -> None:
    shown = run(folder, *words)
    assert (shown.returncode, len(shown.stderr.splitlines())) == (code, 1)
    assert said in shown.stderr


def test_without_a_card_or_the_extra_it_says_what_to_do(folder, monkeypatch) -> None:
    words = ("synaesthesia", "live", "--pair", "pair.safetensors", "--audio", "jack")
    monkeypatch.setenv("JACK_DEFAULT_SERVER", "nobody-runs-this")
    shown = run(folder, *words)
    assert (shown.returncode, len(shown.stderr.splitlines())) == (1, 1)
    assert "JACK does not run, expected one to listen to; start it with" in shown.stderr
    monkeypatch.setattr("frame2sound.extras.find_spec", lambda name: None)
    shown = run(folder, *WORDS)
    assert (shown.returncode, len(shown.stderr.splitlines())) == (1, 1)
    assert 'pip install "frame2sound[studio]"' in shown.stderr


def test_an_interrupted_drawing_keeps_what_was_drawn(folder, monkeypatch) -> None:
    frame, seen = MovingDrawing.frame, []

    def interrupted(drawing, sounds):
        seen.append(1)
        if len(seen) == 6:  # the first is to warm up
            raise KeyboardInterrupt
        return frame(drawing, sounds)

    monkeypatch.setattr(MovingDrawing, "frame", interrupted)
    shown = run(folder, *WORDS, "--offline", "--record", "part", "--json")
    assert (shown.returncode, json.loads(shown.stdout)["frames"]) == (0, 4)
    assert len(list((folder / "part").iterdir())) == 4
