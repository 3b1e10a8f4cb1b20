"""What pyo plays is what the engine made: offline to the bit, and in real time with JACK."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest
import soundfile

from frame2sound.errors import SoundtrackError
from frame2sound.film.drawing.demo_films import load_scene
from frame2sound.film.drawing.scene_writer import write_scene
from frame2sound.live.engine import BLOCK_SAMPLES, SAMPLE_RATE
from frame2sound.live.pyo_output import PyoOutput
from tests.live.jack import dummy_jack
from tests.live.playing import bells, bouncing, film_of, play

COMMAND = [sys.executable, "-m", "frame2sound", "live"]


def test_pyo_plays_the_blocks_of_the_engine_to_the_sample(tmp_path):
    heard = play(film_of(bouncing()[:30], 30), 30, bells())[0]
    blocks = iter(heard.reshape(-1, BLOCK_SAMPLES, 2))
    nothing = np.zeros((BLOCK_SAMPLES, 2), np.float32)
    seen = []
    with PyoOutput(
        lambda count: next(blocks, nothing),
        SAMPLE_RATE,
        BLOCK_SAMPLES,
        lambda block, first, seconds: seen.append(first),
    ) as output:
        output.write(tmp_path / "pyo.wav", len(heard) / SAMPLE_RATE)
    played, rate = soundfile.read(tmp_path / "pyo.wav", dtype="float32")
    assert rate == SAMPLE_RATE
    np.testing.assert_array_equal(played[: len(heard)], heard)
    assert seen[:3] == [0, 256, 512]


def run(folder, *words, **environment):
    return subprocess.run(
        [*COMMAND, *words],
        cwd=folder,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("jack")
    write_scene(load_scene("bounce", seconds=2.5, seed=2, size=(64, 64)), folder / "film.mp4")
    return folder


def test_it_plays_in_real_time_through_jack(folder):
    """Counts alone are compared: how long anything took is for benchmarks/live.py."""
    with dummy_jack(folder, f"f2s-test-{os.getpid()}") as found:
        words = ["film.mp4", "--brain", "bells", "--record", "heard.wav", "--report", "r.json"]
        shown = run(folder, *words, "--events-out", "e.json", "--audio", "jack", **found)
    assert (shown.returncode, len(shown.stdout.splitlines())) == (0, 6), shown.stderr
    report = json.loads((folder / "r.json").read_text())
    assert (report["audio"], report["block_samples"], report["sample_rate"]) == ("jack", 256, 48000)
    assert report["frames"] + report["skipped_frames"] == 75
    heard, _ = soundfile.read(folder / "heard.wav")
    assert len(heard) % 256 == 0
    assert len(heard) / 48000 == pytest.approx(report["seconds"], abs=0.1)
    events = json.loads((folder / "e.json").read_text())["events"]
    assert len(events) == report["events"] > 0
    assert np.abs(heard).max() > 0.01


def test_without_jack_or_a_sound_card_it_says_what_to_do(folder):
    shown = run(folder, "film.mp4", "--audio", "jack", JACK_DEFAULT_SERVER="nobody-runs-this")
    assert (shown.returncode, shown.stdout, len(shown.stderr.splitlines())) == (1, "", 1)
    assert "JACK does not run" in shown.stderr
    assert "jackd -d dummy" in shown.stderr


def test_pyo_is_not_asked_for_a_sound_card_where_there_is_none(monkeypatch):
    """It would crash."""
    asked = []

    class Pyo:
        pa_get_output_devices = staticmethod(lambda: ([], []))

        def Server(self, **settings):  # noqa: N802
            asked.append(settings["audio"])
            return self

        def __getattr__(self, name):
            return lambda *values: name == "nothing"

    monkeypatch.setattr("frame2sound.live.pyo_server.quiet_pyo", Pyo)
    with pytest.raises(SoundtrackError, match=r"found no sound card.*offline"):
        PyoOutput(lambda count: None, SAMPLE_RATE, BLOCK_SAMPLES).start("auto")
    assert asked == ["jack"]
