"""Griffin-Lim: nearer to the magnitudes than where it began, in pieces that join."""

import numpy as np
import pytest

from frame2sound.sound.phase.griffin_lim import GriffinLim
from frame2sound.sound.phase.phase_vocoder import PhaseVocoder
from frame2sound.sound.stft import Stft
from tests.sound.phase.sounding import (
    STFT,
    convergence_db,
    held_tone,
    level_db,
    magnitude,
    smooth_noise,
    sounded,
    white,
)


def test_it_comes_nearer_to_noise_than_running_and_nearer_with_more():
    wanted = magnitude(white())
    running = convergence_db(sounded(PhaseVocoder(STFT), wanted), wanted)
    few, more = (
        convergence_db(sounded(GriffinLim(STFT, iterations=n), wanted), wanted) for n in (4, 32)
    )
    assert more < few < running
    assert more < -15


def test_momentum_is_what_makes_it_fast():
    wanted = magnitude(white())[:80]
    fast, plain = (
        np.linalg.norm(missed(GriffinLim(STFT, momentum=m), wanted)) for m in (0.99, 0.0)
    )
    assert fast < 0.8 * plain


def missed(strategy, wanted):
    made = STFT.magnitude(sounded(strategy, wanted), np.arange(len(wanted)) * STFT.hop)
    return (made - wanted)[4:-4]


def test_pieces_join():
    tone = held_tone()
    wanted = magnitude(tone)
    made = sounded(GriffinLim(STFT), wanted, size=40)
    assert convergence_db(made, wanted) < -25
    assert level_db(made) == pytest.approx(level_db(tone), abs=0.3)


@pytest.mark.parametrize("size", [1, 2, 300])
def test_pieces_of_any_size_keep_the_level(size):
    wanted = smooth_noise()
    made = sounded(GriffinLim(STFT, iterations=4), wanted, size=size)
    assert level_db(made) == pytest.approx(level_db(white()), abs=1)


def test_nothing_and_silence():
    strategy = GriffinLim(STFT)
    nothing = np.zeros((0, STFT.bins), np.float32)
    assert strategy.reconstruct(nothing, np.zeros(0, bool)).shape == nothing.shape
    assert not sounded(strategy, np.zeros((9, STFT.bins), np.float32)).any()


def test_each_iteration_analyses_a_piece_and_the_hops_that_overlap_it_once(monkeypatch):
    magnitudes, analyse, counts = magnitude(white())[:200], Stft.analyse, []

    def counted(self, sound, centres):
        counts.append(len(centres))
        return analyse(self, sound, centres)

    monkeypatch.setattr(Stft, "analyse", counted)
    sounded(GriffinLim(STFT, iterations=5), magnitudes, size=128)
    assert counts == [128] * 5 + [72 + STFT.overlap_factor - 1] * 5


@pytest.mark.parametrize("settings", [{"iterations": 0}, {"momentum": 1.5}])
def test_settings_that_do_not_fit_are_refused(settings):
    with pytest.raises(ValueError, match="expected 1 or more and 0 to 1"):
        GriffinLim(STFT, **settings)
