"""Grains played by pyo: the same cloud as laid, to the sample."""

import subprocess
import sys

import numpy as np
import pytest
import soundfile

from frame2sound.errors import SoundtrackError
from frame2sound.rendering.granular import pyo_engine
from frame2sound.rendering.granular.pyo_engine import BUFFER_SAMPLES, PyoEngine
from frame2sound.sound.grains import Grains, add_grains

RATE = 22050


def cloud(onset, length, source, rate=1.0, gain=1.0, pan=0.0):
    columns = np.broadcast_arrays(onset, length, source, rate, gain, pan)
    types = (np.int64, np.int64, float, float, float, float)
    return Grains(*(np.array(c, kind) for c, kind in zip(columns, types, strict=True)))


def played(tmp_path, grains, source, shape="hann", channels=1):
    with PyoEngine(grains, source, RATE, shape, channels) as engine:
        engine.write(tmp_path / "played.wav")
    sound, rate = soundfile.read(tmp_path / "played.wav", dtype="float32")
    assert rate == RATE
    return sound


def laid(grains, source, samples, shape="hann", channels=1):
    out = np.zeros(samples if channels == 1 else (2, samples), np.float32)
    add_grains(grains, source, shape, out)
    return out.T


def test_clicks_come_at_the_same_samples(tmp_path):
    rng = np.random.default_rng(0)
    onset = np.cumsum(rng.integers(700, 1500, 40))
    source = np.zeros(30000, np.float32)
    click = 700 * rng.permutation(40) + 1000
    source[click] = 1
    # Each grain reads its own click, 40 samples after its onset, under a flat top.
    grains = cloud(onset, 100, click - 40)
    sound = played(tmp_path, grains, source, "tukey")
    np.testing.assert_array_equal(np.flatnonzero(np.abs(sound) > 0.5), onset + 40)


@pytest.mark.parametrize("shape", ["hann", "decay"])
def test_a_dense_cloud_is_the_cloud_that_is_laid(tmp_path, shape):
    rng = np.random.default_rng(1)
    source = np.convolve(rng.uniform(-1, 1, 20000), np.hanning(9) / 4.5, "same")
    source = source.astype(np.float32)
    grains = cloud(
        np.sort(rng.integers(0, RATE, 150)),
        rng.integers(30, 1500, 150),
        rng.integers(-500, 20000, 150),
        rng.choice([1.0, 0.5, 1.37, -1.0], 150),
        rng.uniform(-1, 1, 150),
    )
    sound = played(tmp_path, grains, source, shape)
    expected = laid(grains, source, len(sound), shape)
    # Both interpolate, by other cubics, and pyo reads its envelope half a sample early or late.
    assert np.corrcoef(sound, expected)[0, 1] > 0.999
    shifted = [np.corrcoef(np.roll(sound, by), expected)[0, 1] for by in (-1, 1)]
    assert max(shifted) < 0.99


def test_grains_are_placed(tmp_path):
    grains = cloud([500, 3000, 6000], 1000, 0, pan=[-1, 0, 1])
    source = np.ones(4000, np.float32)
    sound = played(tmp_path, grains, source, channels=2)
    np.testing.assert_allclose(sound, laid(grains, source, len(sound), channels=2), atol=0.01)


def test_it_lasts_as_long_as_its_grains_and_no_two_buffers_more(tmp_path):
    grains = cloud([100, 5000], 500, 0)
    sound = played(tmp_path, grains, np.ones(500, np.float32))
    assert 5500 <= len(sound) <= 5500 + 3 * BUFFER_SAMPLES


def test_a_server_that_is_no_file_plays_the_same_grains():
    grains = cloud([0, 300, 5000], 500, 0)
    with PyoEngine(grains, np.ones(500, np.float32), RATE, audio="manual") as engine:
        engine.start_live()
        for _ in range(5000 // BUFFER_SAMPLES):
            engine.process_buffer()
        assert engine._next == 2
        engine.process_buffer()
        assert engine._next == 3


def test_without_a_sound_card_it_says_so(monkeypatch):
    class Deaf:
        def __init__(self, **options):
            pass

        def setVerbosity(self, level):  # noqa: N802
            pass

        def boot(self):
            pass

        def getIsBooted(self):  # noqa: N802
            return False

    monkeypatch.setattr(pyo_engine, "quiet_pyo", lambda: type("pyo", (), {"Server": Deaf}))
    with pytest.raises(SoundtrackError, match="found no sound card"):
        PyoEngine(cloud([0], 10, 0), np.ones(10, np.float32), RATE, audio="portaudio")


def test_importing_pyo_is_silent_and_waits_until_it_is_needed():
    program = (
        "import sys, frame2sound.rendering.granular.pyo_engine as engine\n"
        "assert 'pyo64' not in sys.modules\n"
        "engine.quiet_pyo()\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
