"""The transform: what its phase and magnitude mean, and that sound comes back."""

import numpy as np
import pytest
from scipy.signal import get_window

from frame2sound.sound.stft import InverseStft, Stft

STFTS = [
    Stft(1024, 256),
    Stft(2048, 1024, "hamming"),
    Stft(1024, 200),
    Stft(2048, 735, "hann", 1500),
]


def white(samples, seed=0):
    return np.random.default_rng(seed).normal(0, 0.1, samples)


def resynthesised(stft, spectra, size=None):
    machine = InverseStft(stft)
    size = size or len(spectra)
    pieces = [machine.process(spectra[i : i + size]) for i in range(0, len(spectra), size)]
    return np.concatenate([*pieces, machine.flush()])


@pytest.mark.parametrize("kind", ["hann", "hamming"])
def test_windows_are_periodic_and_one_at_the_centre(kind):
    window = Stft(64, 16, kind).analysis_window
    np.testing.assert_allclose(window, get_window(kind, 64), atol=1e-12)
    assert window[32] == pytest.approx(1)


def test_short_windows_are_centred_among_zeros():
    window = Stft(64, 16, "hamming", 32).analysis_window
    np.testing.assert_allclose(window[16:48], get_window("hamming", 32), atol=1e-12)
    assert not window[:16].any() and not window[48:].any()


@pytest.mark.parametrize("stft", STFTS)
@pytest.mark.parametrize("phase", [0.0, 1.0, -2.5])
def test_a_sine_on_a_bin_has_magnitude_one_and_its_phase_at_the_centre(stft, phase):
    places = np.arange(8000) - 4000
    tone = np.cos(2 * np.pi * 40 / stft.n_fft * places + phase)
    spectrum = stft.analyse(tone, np.array([4000]))[0]
    assert abs(spectrum[40]) == pytest.approx(1, abs=1e-3)  # the image at -40 leaks so much
    assert np.angle(spectrum[40]) == pytest.approx(phase, abs=1e-3)


def test_analysis_is_the_definition():
    stft, sound = Stft(64, 16), white(200)
    places = np.arange(-32, 32)
    turns = np.exp(-2j * np.pi * np.arange(33)[:, None] * places / 64)
    slow = turns @ (sound[100 + places] * stft.analysis_window) / (stft.analysis_window.sum() / 2)
    np.testing.assert_allclose(stft.analyse(sound, np.array([100]))[0], slow, atol=1e-12)


def test_outside_there_is_silence():
    stft, sound = Stft(64, 16), white(100)
    around = np.array([-500, -20, 90, 110, 700])
    padded = np.pad(sound, 1000)
    inside = stft.analyse(padded, around + 1000)
    np.testing.assert_allclose(stft.analyse(sound, around), inside, atol=1e-12)
    assert not stft.analyse(sound[:0], around).any()


def test_precision_follows_the_sound():
    stft, centres = Stft(64, 16), np.arange(3) * 16
    assert stft.analyse(white(64), centres).dtype == np.complex128
    assert stft.analyse(white(64).astype(np.float32), centres).dtype == np.complex64
    assert stft.inverse_blocks(stft.analyse(white(64), centres)).dtype == np.float32
    assert stft.analyse(white(64), centres[:0]).shape == (0, 33)


def test_blocks_are_the_windowed_excerpts():
    stft, sound = Stft(64, 16), white(200)
    block = stft.inverse_blocks(stft.analyse(sound, np.array([100])))[0]
    np.testing.assert_allclose(block, sound[68:132] * stft.analysis_window, atol=1e-7)


@pytest.mark.parametrize("stft", STFTS)
def test_analysed_sound_comes_back(stft):
    sound = white(30_000).astype(np.float32)
    back = resynthesised(stft, stft.analyse(sound, stft.centres(len(sound))))
    assert len(back) >= len(sound)
    # Single precision: 24 bits, a transform and a division.
    np.testing.assert_allclose(back[: len(sound)], sound, atol=2e-6)


def test_the_end_fades_or_comes_back_whole():
    stft, sound = Stft(1024, 256), white(20 * 256 + 512)
    spectra = stft.analyse(sound, np.arange(21) * 256)
    faded, whole = InverseStft(stft), InverseStft(stft)
    faded = np.concatenate([faded.process(spectra), faded.flush()])
    whole = np.concatenate([whole.process(spectra), whole.flush(fade_out=False)])
    # The very last samples are seen by one window's foot alone.
    np.testing.assert_allclose(whole[:-50], sound[: len(whole) - 50], atol=1e-4)
    assert np.abs(faded[-100:]).max() < 0.1 * np.abs(sound[-100:]).max()


@pytest.mark.parametrize("size", [1, 3, 50])
@pytest.mark.parametrize("stft", STFTS)
def test_pieces_of_any_size_give_the_same(stft, size):
    spectra = stft.analyse(white(12_000), stft.centres(12_000))
    pieces, whole = resynthesised(stft, spectra, size), resynthesised(stft, spectra)
    np.testing.assert_allclose(pieces, whole, atol=1e-6)  # transforms side by side round apart


def test_nothing_fed_is_nothing():
    assert not resynthesised(Stft(64, 16), np.empty((0, 33), np.complex64), 1).any()


def test_another_hop_than_the_analysis_is_heard():
    stft, sound = Stft(1024, 256), white(20_000)
    wrong = resynthesised(stft, stft.analyse(sound, np.arange(70) * 250))
    assert np.abs(wrong[:17_000] - sound[:17_000]).max() > 0.1


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ((1023, 256), "got n_fft 1023"),
        ((1024, 0), "got hop 0, expected 1 to 512"),
        ((1024, 513), "got hop 513"),
        ((1024, 256, "hann", 2048), "got window_length 2048, expected an even number from 4"),
        ((1024, 256, "hann", 511), "got window_length 511"),
        ((1024, 256, "blackman"), "got window 'blackman'"),
    ],
)
def test_settings_that_do_not_fit_are_refused(settings, words):
    with pytest.raises(ValueError, match=words):
        Stft(*settings)
