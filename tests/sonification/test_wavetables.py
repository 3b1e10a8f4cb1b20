"""A picture as wavetables: its rows are waveforms."""

from fractions import Fraction

import numpy as np
import pytest
import soundfile

from frame2sound.sonification.scanning import Scan, brightness_at_hops
from frame2sound.sonification.wavetables import WavetableOscillator, make_tables, write_tables
from tests.sonification.scanned import RATE, amplitude_at, strongest_hz

TURNS = np.arange(200) / 200


def played(rows, pitch_hz, seconds=1):
    """The sound of waveforms of -1 to 1, read from the first to the last."""
    oscillator = WavetableOscillator(rows.shape[1], pitch_hz, RATE)
    brightness = np.float32((rows.T + 1) / 2)
    scan = Scan(Fraction(0), Fraction(seconds), brightness)
    return np.concatenate(list(oscillator.render(brightness_at_hops([scan], RATE, oscillator.hop))))


@pytest.mark.parametrize("pitch_hz", [110.0, 997.3])
def test_a_row_is_heard_at_the_pitch(pitch_hz):
    sound = played(np.sin(2 * np.pi * TURNS)[None], pitch_hz)
    assert strongest_hz(sound) == pytest.approx(pitch_hz, rel=3e-4)
    assert amplitude_at(sound, pitch_hz) == pytest.approx(1, abs=1e-3)


def test_harmonics_above_half_the_sample_rate_are_left_out():
    """A sawtooth of 3 kHz has harmonics at 6 kHz, and at 9 kHz, which would alias to 7 kHz."""
    sound = played((2 * TURNS - 1)[None], 3000.0)
    assert amplitude_at(sound, 3000) == pytest.approx(2 / np.pi, rel=0.01)
    assert amplitude_at(sound, 6000) == pytest.approx(1 / np.pi, rel=0.01)
    spectrum = np.abs(np.fft.rfft(sound[:RATE] * np.hanning(RATE)))
    others = [k for k in range(40, RATE // 2) if min(abs(k - 3000), abs(k - 6000)) > 20]
    assert spectrum[others].max() < 1e-4 * spectrum.max()


def test_tables_are_read_from_the_top_to_the_bottom():
    rows = np.stack([np.sin(2 * np.pi * TURNS), np.sin(4 * np.pi * TURNS)])
    sound = played(rows, 200.0, 2)
    for first, second, begin in ((1, 0, 0.1), (0.5, 0.5, 0.9), (0, 1, 1.7)):
        part = sound[round(begin * RATE) : round((begin + 0.2) * RATE)]
        assert amplitude_at(part, 200) == pytest.approx(first, abs=0.02)
        assert amplitude_at(part, 400) == pytest.approx(second, abs=0.02)


def test_tables_for_synthesisers_are_cycles_of_2048_samples(tmp_path):
    rows = np.float32(0.5 + 0.25 * np.stack([np.sin(2 * np.pi * k * TURNS) for k in (1, 3)]))
    write_tables(make_tables(rows), tmp_path / "tables.wav")
    data, rate = soundfile.read(tmp_path / "tables.wav", dtype="float32")
    assert (len(data), rate) == (2 * 2048, 44_100)
    expected = np.sin(2 * np.pi * np.outer([1, 3], np.arange(2048) / 2048))
    assert data.reshape(2, 2048) == pytest.approx(expected, abs=1e-5)
    raw = (tmp_path / "tables.wav").read_bytes()
    assert raw[raw.index(b"clm ") + 8 :].startswith(b"<!>2048 ")
    assert len(raw) == 8 + int.from_bytes(raw[4:8], "little")


@pytest.mark.parametrize(("rows", "tables"), [(1, 1), (256, 256), (300, 256)])
def test_there_are_at_most_256_tables(rows, tables):
    assert make_tables(np.random.default_rng(0).random((rows, 9), np.float32)).shape[0] == tables
