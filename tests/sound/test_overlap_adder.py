"""Blocks laid at any centres give their sound back, and none reaches across an event."""

from itertools import pairwise

import numpy as np
import pytest

from frame2sound.sound.overlap_adder import OverlapAdder
from frame2sound.sound.stft import Stft

STFT = Stft(512, 128)
REACH = 256
EDGE = 44
"""Two milliseconds at 22 050 Hz."""

SAMPLES = 9000
NONE = np.empty(0, np.int64)


def noise(seed=0):
    return np.random.default_rng(seed).uniform(-1, 1, SAMPLES).astype(np.float32)


def irregular(seed=1):
    """Centres from 0 to past the end, a sample to a hop apart."""
    steps = np.random.default_rng(seed).integers(1, 129, SAMPLES)
    centres = np.concatenate([[0], np.cumsum(steps)])
    return centres[centres <= SAMPLES + REACH]


def laid(sounds, centres, events=NONE, sizes=(), edge=EDGE):
    """Lay the blocks of each centre's own sound in batches; take what is complete after each."""
    laying, pieces = OverlapAdder(STFT, edge), []
    spectra = np.concatenate(
        [STFT.analyse(s, c[None]) for s, c in zip(sounds, centres, strict=True)]
    )
    marks = [*np.cumsum([0, *sizes]).clip(0, len(centres)), len(centres)]
    for first, last in pairwise(marks):
        laying.add(centres[first:last], spectra[first:last], events)
        if last > first:
            pieces.append(laying.pop_until(min(int(centres[last - 1]) - REACH, SAMPLES)))
    return np.concatenate([*pieces, laying.pop_until(SAMPLES)])


@pytest.mark.parametrize("seed", range(3))
def test_a_sound_comes_back_from_irregular_blocks(seed):
    sound, centres = noise(), irregular(seed)
    back = laid([sound] * len(centres), centres)
    assert back.dtype == np.float32
    assert len(back) == SAMPLES
    # Single precision, of transforms of 512 samples up to 1.
    np.testing.assert_allclose(back, sound, atol=2e-6)


@pytest.mark.parametrize("window", ["hann", "hamming"])
def test_a_sound_comes_back_under_any_window(window):
    sound = noise()
    laying, stft = OverlapAdder(Stft(512, 128, window), EDGE), Stft(512, 128, window)
    laying.add(irregular(), stft.analyse(sound, irregular()), NONE)
    np.testing.assert_allclose(laying.pop_until(SAMPLES), sound, atol=2e-6)


@pytest.mark.parametrize("sizes", [(1,) * 200, (3, 50, 2, 7), (0, 5)])
@pytest.mark.parametrize("events", [NONE, np.array([3000, 3100, 6001])])
def test_pieces_of_any_size_give_the_same(sizes, events):
    sound, centres = noise(), np.unique(np.concatenate([irregular(), events]))
    whole = laid([sound] * len(centres), centres, events)
    # Sums in another order of pieces, but the same order of blocks.
    np.testing.assert_array_equal(laid([sound] * len(centres), centres, events, sizes), whole)


@pytest.mark.parametrize("edge", [1, EDGE])
def test_an_event_keeps_what_was_from_what_comes(edge):
    event = 4000
    centres = np.unique(np.concatenate([irregular(), [event]]))
    before, after = noise(2), noise(3)
    sounds = [before if centre < event else after for centre in centres]
    back = laid(sounds, centres, np.array([event]), edge=edge)
    # On both sides at full level to the very sample, though only blocks of that side are there.
    np.testing.assert_allclose(back[:event], before[:event], atol=5e-6)
    np.testing.assert_allclose(back[event + edge :], after[event + edge :], atol=5e-6)
    low, high = np.minimum(before, after), np.maximum(before, after)
    within = slice(event, event + edge)
    assert (low[within] - 1e-5 <= back[within]).all()
    assert (back[within] <= high[within] + 1e-5).all()


def test_nothing_comes_before_an_event_that_follows_silence():
    event = 4000
    centres = np.unique(np.concatenate([irregular(), [event]]))
    sounds = [noise() * (centre >= event) for centre in centres]
    back = laid(sounds, centres, np.array([event]))
    assert not back[:event].any()
    np.testing.assert_allclose(back[event + EDGE :], noise()[event + EDGE :], atol=5e-6)


def test_without_the_event_it_would_be_smeared():
    centres = np.unique(np.concatenate([irregular(), [4000]]))
    sounds = [noise() * (centre >= 4000) for centre in centres]
    assert np.abs(laid(sounds, centres)[: 4000 - EDGE]).max() > 0.1


def test_what_windows_hardly_reach_fades_out_instead_of_swelling():
    sound = np.ones(SAMPLES, np.float32)
    laying = OverlapAdder(STFT, EDGE)
    laying.add(np.array([1000]), STFT.analyse(sound, np.array([1000])), NONE)
    alone = laying.pop_until(SAMPLES)
    assert np.abs(alone).max() < 1.001
    assert np.abs(alone[:750]).max() < 0.001
    assert not alone[1000 + REACH :].any()
    np.testing.assert_allclose(alone[900:1100], 1, atol=1e-5)


def test_what_was_taken_is_forgotten():
    laying, kept = OverlapAdder(STFT, EDGE), []
    for start in range(0, 100_000, 1000):
        centres = start + np.arange(0, 1000, 125)
        laying.add(centres, np.ones((len(centres), STFT.bins), np.complex64), NONE)
        assert len(laying.pop_until(start)) == (1000 if start else 0)
        kept.append(laying._sound.nbytes + laying._weight.nbytes)
    assert max(kept) <= 8 * (1000 + 2 * REACH)
    assert len(laying.pop_until(50_000)) == 0


def test_no_block_gives_silence():
    laying = OverlapAdder(STFT, EDGE)
    laying.add(NONE, np.empty((0, STFT.bins), np.complex64), NONE)
    silence = laying.pop_until(100)
    assert silence.shape == (100,)
    assert not silence.any()
