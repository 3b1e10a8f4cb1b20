"""Spectral targets equal explicit sums, and decode to the original where that is possible."""

import numpy as np
import pytest
import torch

from frame2sound.brain.config import LogMag, Mel, StftBoth, StftMag, StftReal
from frame2sound.brain.spectra import (
    LogMagnitudes,
    Magnitudes,
    MelMagnitudes,
    PolarSpectra,
    RealSpectra,
)
from tests.brain.reference_spectra import CLOCKS, LENGTHS, noise, slow, tensor, window

EVERY = [
    (RealSpectra, StftReal),
    (Magnitudes, StftMag),
    (PolarSpectra, StftBoth),
    (LogMagnitudes, LogMag),
    (MelMagnitudes, Mel),
]


@pytest.mark.parametrize("clock", CLOCKS, ids=str)
@pytest.mark.parametrize("windows_per_frame", [1, 2, 5])
def test_windows_are_centred_on_equal_parts_of_the_frame(clock, windows_per_frame):
    target = Magnitudes(StftMag(windows_per_frame=windows_per_frame, window_length=256), clock)
    frame = clock.sample_rate / float(clock.fps)
    edges = np.linspace(0, frame, windows_per_frame + 1)
    np.testing.assert_allclose(target.centres, (edges[:-1] + edges[1:]) / 2, atol=0.5)
    assert target.lead_samples == 128 - target.centres[0]
    assert target.excerpt_length == target.centres[-1] + 128 + target.lead_samples
    assert target.required_range == (0, clock.max_samples_per_frame)


@pytest.mark.parametrize("clock", CLOCKS, ids=str)
@pytest.mark.parametrize("length", LENGTHS)
@pytest.mark.parametrize("kind", ["hann", "hamming"])
@pytest.mark.parametrize("windows_per_frame", [1, 3])
def test_magnitudes_equal_a_slow_reference(clock, length, kind, windows_per_frame):
    recipe = StftMag(window_length=length, window=kind, windows_per_frame=windows_per_frame)
    target = Magnitudes(recipe, clock, scale=0.25)
    excerpts = noise(target)
    encoded = target.encode(tensor(excerpts))
    expected = np.abs(slow(target, excerpts)[0])
    assert encoded.shape == (3, target.length) == (3, windows_per_frame * (length // 2 + 1))
    # Sums of a thousand products of about 0.2, divided by half as many, in single precision.
    np.testing.assert_allclose(encoded, expected.reshape(3, -1) / 0.25, atol=1e-6)
    actual = target.decode(encoded)
    assert actual.dtype == np.float32
    np.testing.assert_allclose(actual, expected, atol=1e-6)
    assert not target.decode(-encoded).any()
    assert target.largest(tensor(excerpts)) == pytest.approx(expected.max(), rel=1e-5)


@pytest.mark.parametrize("kind", ["hann", "hamming"])
@pytest.mark.parametrize("length", LENGTHS)
def test_a_full_scale_sine_has_magnitude_one(length, kind):
    target = Magnitudes(StftMag(window_length=length, window=kind, windows_per_frame=2), CLOCKS[0])
    wave = np.cos(2 * np.pi * 10 / length * np.arange(target.excerpt_length) + 1)
    magnitude = target.decode(target.encode(tensor(wave[None])))[0]
    np.testing.assert_allclose(magnitude[:, 10], 1, atol=1e-5)
    assert (magnitude.argmax(axis=1) == 10).all()
    assert magnitude[:, 13:].max() < 1e-4


@pytest.mark.parametrize("clock", CLOCKS, ids=str)
@pytest.mark.parametrize("length", LENGTHS)
@pytest.mark.parametrize("kind", ["hann", "hamming"])
def test_real_parts_are_the_sound_and_its_mirror_image(clock, length, kind):
    target = RealSpectra(StftReal(window_length=length, window=kind), clock, scale=0.5)
    excerpts = noise(target)
    spectra, heard = slow(target, excerpts)
    encoded = target.encode(tensor(excerpts))
    np.testing.assert_allclose(encoded, spectra[:, 0].real / 0.5, atol=1e-6)
    assert target.largest(tensor(excerpts)) == pytest.approx(np.abs(spectra.real).max(), rel=1e-5)

    expected = np.zeros((3, target.lead + clock.max_samples_per_frame))
    for row, sound in zip(expected, heard[:, 0], strict=True):
        for at in range(length):
            place = at + target.lead - target.lead_samples
            if place < len(row):
                row[place] = (sound[at] + sound[-at % length]) / 2
    actual = target.decode(encoded)
    assert actual.shape == expected.shape
    assert target.lead == max(0, length // 2 - target.centres[0])
    np.testing.assert_allclose(actual, expected, atol=1e-6)


@pytest.mark.parametrize("clock", CLOCKS, ids=str)
@pytest.mark.parametrize("length", LENGTHS)
@pytest.mark.parametrize("windows_per_frame", [1, 2])
def test_magnitude_and_phase_decode_to_the_windowed_sound(clock, length, windows_per_frame):
    recipe = StftBoth(window_length=length, window="hamming", windows_per_frame=windows_per_frame)
    target = PolarSpectra(recipe, clock, scale=0.5)
    excerpts = noise(target)
    spectra, heard = slow(target, excerpts)
    encoded = target.encode(tensor(excerpts))
    magnitude, phase = np.split(encoded.numpy().reshape(3, windows_per_frame, -1), 2, axis=-1)
    np.testing.assert_allclose(magnitude, np.abs(spectra) / 0.5, atol=1e-6)
    assert np.abs(phase).max() <= 1
    actual = target.decode(encoded)
    assert actual.dtype == np.complex64
    sound = np.fft.irfft(actual) * window("hamming", length).sum() / 2
    np.testing.assert_allclose(np.fft.fftshift(sound, axes=-1), heard, atol=2e-6)
    # The phase, up to 1, must not count as a magnitude.
    assert target.largest(tensor(excerpts)) == pytest.approx(np.abs(spectra).max(), rel=1e-5)


def test_a_click_at_the_centre_of_the_window_has_phase_0():
    target = PolarSpectra(StftBoth(window_length=64), CLOCKS[0])
    click = torch.zeros(1, 64)
    click[0, 32] = 1
    np.testing.assert_allclose(target.decode(target.encode(click)).imag, 0, atol=1e-7)


@pytest.mark.parametrize(("cls", "recipe"), EVERY)
@pytest.mark.parametrize("length", LENGTHS)
def test_silence_encodes_and_decodes_to_exact_zeros(cls, recipe, length):
    target = cls(recipe(window_length=length), CLOCKS[0], scale=0.3)
    # A negative zero has a phase of half a turn.
    for silence in (torch.zeros(2, target.excerpt_length), -torch.zeros(2, target.excerpt_length)):
        encoded = target.encode(silence)
        assert not encoded.any()
        assert not target.decode(encoded).any()
        assert not target.log_magnitude(encoded).any()
    assert target.silence_value == 0


@pytest.mark.parametrize(("cls", "recipe"), EVERY)
def test_no_frames_give_no_rows(cls, recipe):
    target = cls(recipe(window_length=64), CLOCKS[0])
    encoded = target.encode(torch.zeros(0, target.excerpt_length))
    assert encoded.shape == (0, target.length)
    assert len(target.decode(encoded)) == 0


def test_log_magnitudes_of_numbers_are_decades_with_a_sign():
    target = Magnitudes(StftMag(window_length=64), CLOCKS[0], scale=0.5)
    numbers = tensor(np.geomspace(1e-6, 10, target.length))[None]
    actual = target.log_magnitude(numbers).double().numpy().ravel()
    np.testing.assert_allclose(
        actual[-5:], np.log10(numbers.numpy().ravel()[-5:] / 1e-4), atol=1e-5
    )
    assert (np.diff(actual) > 0).all()
    np.testing.assert_array_equal(target.log_magnitude(-numbers).numpy().ravel(), -actual)
    zero = torch.zeros(1, target.length, requires_grad=True)
    target.log_magnitude(zero).sum().backward()
    assert (zero.grad > 0).all()  # nothing is stuck at silence


def test_log_magnitudes_keep_phases():
    target = PolarSpectra(StftBoth(window_length=64), CLOCKS[0])
    output = torch.rand(2, target.length)
    actual = target.log_magnitude(output)[:, 0]
    assert torch.equal(actual[:, 33:], output[:, 33:])
    magnitudes = Magnitudes(StftMag(window_length=64), CLOCKS[0])
    assert torch.equal(actual[:, :33], magnitudes.log_magnitude(output[:, :33])[:, 0])
