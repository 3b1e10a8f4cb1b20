"""Phases of another sound: its own give it back, and what cannot be worn is refused."""

import numpy as np
import pytest

from frame2sound.sound.phase.from_audio import PhaseFromAudio
from tests.sound.phase.sounding import RATE, STFT, glide, level_db, magnitude, sounded, white


def test_a_sound_with_its_own_phases_comes_back():
    sound = np.concatenate([white(), np.zeros(2048, np.float32)])
    made = sounded(PhaseFromAudio(STFT, sound, RATE, RATE), magnitude(sound))
    np.testing.assert_allclose(made[512:-512], sound[512 : len(made) - 512], atol=1e-5)


def test_the_level_of_unlike_sounds_is_between_related_and_unrelated():
    made = sounded(PhaseFromAudio(STFT, white(1), RATE, RATE), magnitude(white(2)))
    assert -6.1 < level_db(made) - level_db(white(2)) < 0


def test_a_short_sound_is_looped_after_whole_hops():
    flat = np.ones((25, STFT.bins), np.float32)
    spectra = PhaseFromAudio(STFT, white()[: 10 * STFT.hop + 99], RATE, RATE).reconstruct(
        flat, None
    )
    np.testing.assert_array_equal(spectra[:10], spectra[10:20])
    np.testing.assert_array_equal(spectra[:5], spectra[20:])
    assert not np.array_equal(spectra[0], spectra[9])


@pytest.mark.parametrize("size", [1, 7])
def test_pieces_of_any_size_give_the_same(size):
    wanted, worn = magnitude(glide())[:40], white()[:5000]
    whole, pieces = (
        sounded(PhaseFromAudio(STFT, worn, RATE, RATE), wanted, size=n) for n in (len(wanted), size)
    )
    np.testing.assert_allclose(pieces, whole, atol=1e-6)  # transforms side by side round apart


def test_silence_has_no_phase_to_steal():
    flat = np.ones((3, STFT.bins), np.float32)
    spectra = PhaseFromAudio(STFT, np.zeros(5000, np.float32), RATE, RATE).reconstruct(flat, None)
    np.testing.assert_array_equal(spectra, flat)


@pytest.mark.parametrize(
    ("sound", "rate", "words"),
    [
        (np.zeros(0), RATE, r"got a phase sound of 0\.000 s, expected at least one window, 0\.046"),
        (np.zeros(1023), RATE, "expected at least one window"),
        (np.zeros(5000), 44100, "got a phase sound at 44100 Hz, expected 22050 Hz"),
        (np.zeros((5000, 2)), RATE, r"got a phase sound of shape \(5000, 2\), expected mono"),
    ],
)
def test_what_cannot_be_worn_is_refused(sound, rate, words):
    with pytest.raises(ValueError, match=words):
        PhaseFromAudio(STFT, sound, rate, RATE)
