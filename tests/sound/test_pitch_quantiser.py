"""Tuning: tones arrive on the scale, power stays, noise stays noise."""

import numpy as np
import pytest

from frame2sound.sound.named_scales import parse_scale
from frame2sound.sound.pitch_quantiser import PitchQuantiser
from frame2sound.sound.scale import Scale, nearest_tone_hz, ratio_to_cents

RATE, N_FFT, HOP = 22050, 1024, 256
BIN = RATE / N_FFT
TWELVE = Scale.equal(12, 440.0)


def magnitude(sound):
    window = np.hanning(N_FFT + 1)[:-1]
    frames = np.lib.stride_tricks.sliding_window_view(sound, N_FFT)[::HOP]
    return (np.abs(np.fft.rfft(frames * window)) * 2 / window.sum()).astype(np.float32)


def sines(*hertz, seconds=0.5, gain=0.3):
    time = np.arange(round(seconds * RATE)) / RATE
    return sum(gain * np.sin(2 * np.pi * hz * time) for hz in hertz)


def noise(level=0.1, seconds=2.0):
    return np.random.default_rng(0).normal(0, level, round(seconds * RATE))


def peak_hz(row, near):
    """The peak's place by a parabola through logarithms, which errs by 0.02 bins at most."""
    at = max(round(near / BIN), 2) - 2 + int(row[max(round(near / BIN), 2) - 2 :][:5].argmax())
    a, b, c = np.log(row[at - 1 : at + 2])
    return (at + 0.5 * (a - c) / (a - 2 * b + c)) * BIN


def power(spectra):
    return (spectra.astype(np.float64) ** 2).sum(axis=1)


def test_a_tone_between_two_comes_to_the_nearest():
    tuned = PitchQuantiser(TWELVE, RATE, N_FFT).apply(magnitude(sines(450)))
    assert tuned.shape == magnitude(sines(450)).shape
    assert tuned.dtype == np.float32
    for row in tuned:
        assert abs(ratio_to_cents(peak_hz(row, 440) / 440)) < 2


@pytest.mark.parametrize("hz", [300, 333, 620, 1000, 2345, 5001, 9000])
def test_every_pitch_comes_to_its_tone(hz):
    target = nearest_tone_hz(hz, TWELVE)
    row = PitchQuantiser(TWELVE, RATE, N_FFT).apply(magnitude(sines(hz)))[3]
    assert peak_hz(row, target) == pytest.approx(target, abs=0.025 * BIN)


def test_a_far_tone_leaves_nothing_but_side_lobes_behind():
    row = PitchQuantiser(Scale.from_hz([3000.0]), RATE, N_FFT).apply(magnitude(sines(1000)))[3]
    assert peak_hz(row, 3000) == pytest.approx(3000, abs=0.025 * BIN)
    # A Hann window's first side lobe is 31 dB below its peak.
    assert row[: round(2000 / BIN)].max() < 0.3 * 10 ** (-30 / 20)


def test_two_tones_come_to_two():
    row = PitchQuantiser(TWELVE, RATE, N_FFT).apply(magnitude(sines(450, 1200)))[3]
    assert peak_hz(row, 440) == pytest.approx(440, abs=0.025 * BIN)
    assert peak_hz(row, 1174.66) == pytest.approx(1174.66, abs=0.025 * BIN)


def test_two_tones_on_one_add_their_powers():
    spectra = magnitude(sines(900, 1100))
    tuned = PitchQuantiser(Scale.from_hz([1000.0]), RATE, N_FFT).apply(spectra)
    np.testing.assert_allclose(power(tuned), power(spectra), rtol=1e-4)
    assert np.abs(tuned[3].argmax() * BIN - 1000) < BIN


@pytest.mark.parametrize(
    "sound", [sines(450), sines(450, 1200, 3000, 10900), noise(), noise(0.01, 0.5) + sines(777)]
)
def test_power_is_kept(sound):
    spectra = magnitude(sound)
    tuned = PitchQuantiser(TWELVE, RATE, N_FFT).apply(spectra)
    np.testing.assert_allclose(power(tuned), power(spectra), rtol=1e-4)


def test_noise_keeps_its_level_everywhere():
    spectra = magnitude(noise())
    tuned = PitchQuantiser(Scale.from_hz([1000.0]), RATE, N_FFT).apply(spectra)
    bands = [slice(start, start + 32) for start in range(8, 500, 32)]
    for band in bands:
        ratio = power(tuned[:, band]).mean() / power(spectra[:, band]).mean()
        assert abs(10 * np.log10(ratio)) < 0.5


def test_noise_beside_a_tone_stays():
    spectra = magnitude(noise(0.01) + sines(450, seconds=2.0))
    tuned = PitchQuantiser(TWELVE, RATE, N_FFT).apply(spectra)
    ratio = power(tuned[:, 40:]).mean() / power(spectra[:, 40:]).mean()
    assert abs(10 * np.log10(ratio)) < 0.5


def test_a_tone_in_tune_stays():
    row, before = (
        PitchQuantiser(TWELVE, RATE, N_FFT).apply(magnitude(sines(880)))[3],
        magnitude(sines(880))[3],
    )
    np.testing.assert_allclose(row, before, atol=0.02 * 0.3)


def test_silence_and_nothing_stay_so():
    tuning = PitchQuantiser(TWELVE, RATE, N_FFT)
    assert not tuning.apply(np.zeros((3, 513), np.float32)).any()
    assert tuning.apply(np.empty((0, 513), np.float32)).shape == (0, 513)


def test_the_input_is_left_alone():
    spectra = magnitude(sines(450))
    before = spectra.copy()
    PitchQuantiser(TWELVE, RATE, N_FFT).apply(spectra)
    np.testing.assert_array_equal(spectra, before)


@pytest.mark.parametrize("bad", [np.full((2, 513), np.nan), -np.ones((2, 513)), np.ones(513)])
def test_what_is_no_magnitude_is_refused(bad):
    with pytest.raises(ValueError, match="expected finite magnitudes"):
        PitchQuantiser(TWELVE, RATE, N_FFT).apply(bad.astype(np.float32))


@pytest.mark.parametrize(
    ("text", "hertz"),
    [
        ("12-tet", (440, 466.164)),
        ("12-TET A4=442", (442, 468.283)),
        ("19-tet", (440, 440 * 2 ** (1 / 19))),
        ("just 1/1 9/8 5/4 4/3 3/2 5/3 15/8 on D3", (146.832, 165.186)),
        ("just 1 3/2 on A4 A4=400", (400, 600)),
        ("just 1 3/2", (261.626, 392.438)),
        ("hz 220 110 330", (110, 220)),
    ],
)
def test_scales_are_read(text, hertz):
    scale = parse_scale(text)
    np.testing.assert_allclose([scale.step_to_hz(0), scale.step_to_hz(1)], hertz, rtol=1e-5)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "12",
        "0-tet",
        "12-tet 5",
        "12-tet H4=3",
        "12-tet A4=-1",
        "hz",
        "hz 0",
        "hz nan",
        "hz a",
        "just",
        "just 1/0",
        "just 3/2 1",
        "just 1 on",
        "just 1 3/2 on H2",
    ],
)
def test_what_is_no_scale_is_refused_with_what_is(text):
    with pytest.raises(ValueError, match="expected"):
        parse_scale(text)
