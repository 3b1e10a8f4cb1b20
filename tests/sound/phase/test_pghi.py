"""Phase-gradient heap integration, beside an obvious one with a heap."""

import heapq

import numpy as np
import pytest

from frame2sound.sound.phase import pghi
from frame2sound.sound.phase.pghi import Pghi, integrate_phase, phase_gradients
from frame2sound.sound.phase.reconstructor import from_polar
from frame2sound.sound.stft import InverseStft, Stft
from tests.sound.phase.sounding import (
    STFT,
    convergence_db,
    glide,
    held_tone,
    level_db,
    magnitude,
    sounded,
    white,
)


def with_a_heap(phase, size, loud, along_time, along_frequency, known):
    """Spread phases from the loudest bins outwards, one by one."""
    waiting, heap = loud.copy(), []
    for place in zip(*np.nonzero(loud[:known]), strict=True):
        waiting[place] = False
        heapq.heappush(heap, (-size[place], place))
    for start in sorted(zip(*np.nonzero(loud), strict=True), key=lambda place: -size[place]):
        if not heap and waiting[start]:
            waiting[start] = False
            heap = [(-size[start], start)]
        while heap:
            _, (hop, k) = heapq.heappop(heap)
            for h, b, slope in (
                (hop + 1, k, along_time),
                (hop - 1, k, along_time),
                (hop, k + 1, along_frequency),
                (hop, k - 1, along_frequency),
            ):
                if 0 <= h < len(size) and 0 <= b < size.shape[1] and waiting[h, b]:
                    turn = (slope[hop, k] + slope[h, b]) / 2
                    phase[h, b] = phase[hop, k] + turn * (h - hop + b - k)
                    waiting[h, b] = False
                    heapq.heappush(heap, (-size[h, b], (h, b)))


def integrated(way, wanted, tolerance=1e-4):
    phase = np.random.default_rng(0).uniform(0, 2 * np.pi, wanted.shape)
    way(phase, wanted, wanted > tolerance * wanted.max(), *phase_gradients(STFT, wanted), 0)
    sound = InverseStft(STFT).process(from_polar(wanted, np.mod(phase, 2 * np.pi)))
    made = np.abs(STFT.analyse(sound, np.arange(len(wanted)) * STFT.hop))[4:-8]
    return 20 * np.log10(np.linalg.norm(made - wanted[4:-8]) / np.linalg.norm(wanted[4:-8]))


@pytest.mark.parametrize("sound", [glide, white, held_tone])
def test_the_tree_is_as_good_as_a_heap(sound):
    wanted = magnitude(sound())[:150]
    tree, heap = (integrated(way, wanted) for way in (integrate_phase, with_a_heap))
    assert tree < heap + 1.5


@pytest.mark.parametrize("window", ["hann", "hamming"])
def test_the_slopes_are_those_of_a_true_phase(window):
    stft = Stft(1024, 64, window)
    tone = np.cos(2 * np.pi * 50.3 / 1024 * np.arange(20_000)) + 1e-6 * white()[:20_000]
    spectra = stft.analyse(tone, np.arange(100, 110) * 64)
    along_time, _ = phase_gradients(stft, np.abs(spectra).astype(np.float32))
    true = np.angle(spectra[5] / spectra[4])
    wrong = np.angle(np.exp(1j * (along_time[4] - true)))
    assert np.abs(wrong[49:52]).max() < 0.1  # in 20; the windows are not quite Gaussian


def test_along_frequency_too():
    click = np.zeros(4000)
    click[2000] = 1
    spectra = STFT.analyse(click, 2000 + np.arange(-200, 201, 100))
    stft = Stft(1024, 100)
    _, along_frequency = phase_gradients(stft, np.abs(spectra).astype(np.float32))
    true = np.angle(spectra[1, 101] / spectra[1, 100])
    # A Hann window is a Gaussian in its middle only.
    assert along_frequency[1, 100] == pytest.approx(true, rel=0.15)


@pytest.mark.parametrize("sound", [held_tone, glide])
def test_pieces_join(sound):
    wanted = magnitude(sound())
    made = sounded(Pghi(STFT), wanted, size=50)
    assert convergence_db(made, wanted) < -20
    assert level_db(made) == pytest.approx(level_db(sound()), abs=0.3)


def test_pieces_as_small_as_one_hop_still_join():
    wanted = magnitude(held_tone())
    assert convergence_db(sounded(Pghi(STFT), wanted, size=1), wanted) < -15


def test_nothing_and_silence():
    strategy = Pghi(STFT)
    nothing = np.zeros((0, STFT.bins), np.float32)
    assert strategy.reconstruct(nothing, np.zeros(0, bool)).shape == nothing.shape
    assert not sounded(strategy, np.zeros((9, STFT.bins), np.float32)).any()
    assert np.isfinite(sounded(strategy, magnitude(glide())[:9])).all()


def test_each_piece_is_integrated_once_and_no_sound_is_analysed(monkeypatch):
    magnitudes, lengths = magnitude(white())[:200], []

    def counted(phase, *arguments):
        lengths.append(len(phase))
        integrate_phase(phase, *arguments)

    monkeypatch.setattr(pghi, "integrate_phase", counted)
    monkeypatch.setattr(Stft, "analyse", None)
    sounded(Pghi(STFT), magnitudes, size=128)
    assert lengths == [128, 1 + 72]  # a piece continues from the last hop of the one before


def test_a_tolerance_that_is_none_is_refused():
    with pytest.raises(ValueError, match="got tolerance 0, expected above 0"):
        Pghi(STFT, tolerance=0)
