"""The phase that runs on: tones hold, noise stays noise, attacks stay sharp."""

from fractions import Fraction

import numpy as np
import pytest

from frame2sound.evaluation.frame_rate_hum import line_comb_db, tremolo_comb_db
from frame2sound.sound.phase.partials import PartialFinder
from frame2sound.sound.phase.phase_vocoder import PhaseVocoder
from frame2sound.sound.phase.random_phase import RandomPhase, ZeroPhase
from frame2sound.sound.stft import Stft
from tests.sound.phase.sounding import (
    CENTRES,
    MIDDLE,
    RATE,
    SAMPLES,
    STFT,
    convergence_db,
    glide,
    held_tone,
    level_db,
    magnitude,
    smooth_noise,
    sounded,
    white,
)

HOP_RATE = Fraction(RATE, STFT.hop)


def pitch_hz(sound, near):
    part = sound[MIDDLE] * np.hanning(len(sound[MIDDLE]))
    power = np.abs(np.fft.rfft(part, 8 * len(part)))
    hertz = np.fft.rfftfreq(8 * len(part), 1 / RATE)
    window = np.abs(hertz - near) < 0.1 * near
    return hertz[window][np.argmax(power[window])]


@pytest.mark.parametrize("hz", [110.0, 440.0, 1234.5])
def test_a_held_tone_is_held(hz):
    tone = held_tone(hz)
    made = sounded(PhaseVocoder(STFT), magnitude(tone))
    assert abs(1200 * np.log2(pitch_hz(made, hz) / hz)) < 2
    assert level_db(made) == pytest.approx(level_db(tone), abs=0.3)
    for fps in (Fraction(30), HOP_RATE):
        assert line_comb_db(made[MIDDLE], RATE, fps) < 1


def test_a_held_tone_is_the_same_sound_but_for_its_phases():
    tone = held_tone()
    assert convergence_db(sounded(PhaseVocoder(STFT), magnitude(tone)), magnitude(tone)) < -50
    assert convergence_db(sounded(RandomPhase(STFT), magnitude(tone)), magnitude(tone)) > -10


def test_a_glide_is_followed():
    assert convergence_db(sounded(PhaseVocoder(STFT), magnitude(glide())), magnitude(glide())) < -20


@pytest.mark.parametrize("strategy", [PhaseVocoder, RandomPhase])
def test_smooth_noise_is_noise_at_its_level_and_has_no_lines(strategy):
    made = sounded(strategy(STFT), smooth_noise())
    assert level_db(made) == pytest.approx(level_db(white()), abs=0.5)
    assert line_comb_db(made[MIDDLE], RATE, Fraction(30)) < 1


@pytest.mark.parametrize("strategy", [PhaseVocoder, RandomPhase])
@pytest.mark.parametrize("fps", [Fraction(30), HOP_RATE])
def test_smooth_noise_pulses_no_more_than_noise(strategy, fps):
    # The worst of five bands of a few seconds of true noise is 1 to 3 dB by chance alone.
    seeds, true, made = range(4), [], []
    for seed in seeds:
        true.append(tremolo_comb_db(white(seed), RATE, fps))
        made.append(tremolo_comb_db(sounded(strategy(STFT, seed), smooth_noise()), RATE, fps))
    assert np.mean(made) < np.mean(true) + 1


def test_the_same_noise_with_zero_phase_pulses_with_every_hop():
    assert tremolo_comb_db(sounded(ZeroPhase(STFT), smooth_noise()), RATE, HOP_RATE) > 20


def test_clicks_stay_within_their_windows():
    hops = np.arange(20, len(CENTRES) - 20, 40)
    clicks = np.zeros(SAMPLES, np.float32)
    clicks[CENTRES[hops]] = 0.9
    onset = np.isin(np.arange(len(CENTRES)), hops)
    made = sounded(PhaseVocoder(STFT), magnitude(clicks), onset)
    for centre in CENTRES[hops]:
        around = made[centre - 2000 : centre + 2000].astype(float) ** 2
        assert around.sum() == pytest.approx(0.81, rel=0.2)
        assert around[2000 - 512 : 2000 + 512].sum() > 0.98 * around.sum()
        # Half of the click's magnitude, that of the hop before, cannot know of the onset.
        assert around[2000 - 16 : 2000 + 64].sum() > 0.7 * around.sum()
        assert around[2000 + 64 :].sum() < 0.02 * around.sum()
    # The attack is spread over an eighth of a hop: no spike.
    assert np.abs(made).max() < 0.4


def test_without_an_onset_clicks_smear():
    clicks = np.zeros(SAMPLES, np.float32)
    clicks[CENTRES[20]] = 0.9
    made = sounded(PhaseVocoder(STFT), magnitude(clicks)).astype(float) ** 2
    centre = CENTRES[20]
    assert made[centre - 16 : centre + 64].sum() < 0.5 * made.sum()


@pytest.mark.parametrize("size", [1, 13])
def test_pieces_of_any_size_give_the_same(size):
    wanted = magnitude(glide())[:70]
    onset = np.arange(70) % 30 == 11
    whole, pieces = (sounded(PhaseVocoder(STFT, 5), wanted, onset, size=n) for n in (70, size))
    np.testing.assert_allclose(pieces, whole, atol=1e-6)  # transforms side by side round apart


def test_silence_is_silent():
    assert not sounded(PhaseVocoder(STFT), np.zeros((20, STFT.bins), np.float32)).any()


def test_partials_are_found_once_per_hop_and_no_sound_is_analysed(monkeypatch):
    magnitudes, find, lengths = magnitude(glide())[:400], PartialFinder.find, []

    def counted(self, batch):
        lengths.append(len(batch))
        return find(self, batch)

    monkeypatch.setattr(PartialFinder, "find", counted)
    monkeypatch.setattr(Stft, "analyse", None)
    sounded(PhaseVocoder(STFT), magnitudes)
    assert lengths == [256, 144]


@pytest.mark.parametrize("stft", [STFT, Stft(1024, 256, "hamming"), Stft(2048, 256, "hann", 1024)])
@pytest.mark.parametrize("place", [30.0, 30.25, 30.5, 99.9])
def test_a_partials_frequency_is_exact(stft, place):
    places = np.arange(-4096, 4096)
    tone = np.cos(2 * np.pi * place / stft.n_fft * places)
    partials = PartialFinder(stft).find(stft.magnitude(tone, np.array([4096])).astype(np.float32))
    peak = partials.peak_bin[0, round(place)]
    assert partials.frequency[0, peak] == pytest.approx(place, abs=2e-3)


def test_a_tones_bins_are_its_own_and_averaged_noise_is_nobodys():
    finder = PartialFinder(STFT)
    # A little noise keeps the rounding of the far side lobes from having peaks of its own.
    tone = finder.find(magnitude(held_tone())[40:60])
    assert (tone.peak_bin[:, 10:180] >= 0).all()
    assert (finder.find(smooth_noise()[:5]).peak_bin == -1).all()


def test_a_partial_that_moves_a_bin_goes_on_from_the_one_it_was():
    stft = Stft(1024, 256)
    lobe = np.array([0.5, 1, 0.5], np.float32)
    magnitude = np.zeros((2, stft.bins), np.float32)
    magnitude[0, 99:102] = magnitude[1, 100:103] = lobe
    spectra = PhaseVocoder(stft).reconstruct(magnitude, np.array([True, False]))
    turned = np.angle(spectra[1, 101] / spectra[0, 100])
    # A hop is a quarter of the window: the mean of 100 and 101 bins is 25.125 turns.
    assert turned == pytest.approx(2 * np.pi * 0.125, abs=1e-4)
