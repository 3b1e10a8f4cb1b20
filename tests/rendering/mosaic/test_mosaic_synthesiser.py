"""A mosaic of a film under its own prediction is that film; of others, it finds what is like it."""

from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
import torch

from frame2sound.brain.corpus import Corpus, Piece
from frame2sound.brain.recipe import parse_recipe
from frame2sound.brain.targets import build_target
from frame2sound.clock import Clock
from frame2sound.errors import BrainError, SoundtrackError
from frame2sound.rendering.mosaic.concatenation import Concatenator
from frame2sound.rendering.mosaic.mosaic_settings import MosaicSettings
from frame2sound.rendering.mosaic.mosaic_synthesiser import CHUNK_FRAMES, MosaicSynthesiser
from frame2sound.rendering.mosaic.unit_database import UnitDatabase
from frame2sound.rendering.mosaic.unit_selection import SILENCE

RATE = 22050
CLOCK = Clock(Fraction(30), RATE)
KINDS = {
    "pcm": {"kind": "pcm", "lead_seconds": 0.008},
    "stft-real": {"kind": "stft-real"},
    "stft-mag": {"kind": "stft-mag"},
    "stft-both": {"kind": "stft-both"},
    "log-mag": {"kind": "log-mag", "window_length": 1024, "windows_per_frame": 4},
    "mel": {"kind": "mel", "window_length": 1024, "windows_per_frame": 4},
}


def target_named(kind="log-mag", scale=0.1):
    parts = {"network": {"kind": "mlp", "hidden": [8]}, "target": KINDS[kind]}
    recipe = parse_recipe({"name": kind, **parts, "clock": {"fps": "30", "sample_rate": RATE}})
    return build_target(recipe, scale)


def corpus_of(*sounds):
    names = "abcdef"
    return Corpus(CLOCK, tuple(map(Piece, names, [0] * len(sounds), map(np.float32, sounds))))


def foretold(target, sound, clock=CLOCK):
    """Return what a perfect brain predicts of a sound."""
    frames = len(sound) * clock.fps // clock.sample_rate
    around = np.pad(np.float32(sound), target.excerpt_length + 2)
    at = clock.sample_bounds(frames)[:-1, None] - target.lead_samples + target.excerpt_length + 2
    excerpts = torch.from_numpy(around[at + np.arange(target.excerpt_length)])
    return target.decode(target.encode(excerpts))


def play(mosaic, predictions, batch=128, clock=CLOCK):
    sound = []
    for first in range(0, len(predictions), batch):
        some = predictions[first : first + batch]
        sound.append(mosaic.process(some, clock.sample_bounds(len(some), first)))
    return np.concatenate([*sound, mosaic.flush()])


def noise(seconds=3.0, seed=0, level=0.1):
    return np.random.default_rng(seed).normal(0, level, round(seconds * RATE))


def tone(hertz, seconds=2.0, level=0.2):
    return level * np.sin(2 * np.pi * hertz * np.arange(round(seconds * RATE)) / RATE)


def clicks(frames, seconds=3.0, hertz=1500):
    """Return a sound in which a click begins with each of some frames."""
    age = np.arange(2000) / RATE
    click = 0.5 * np.sin(2 * np.pi * hertz * age + 1) * np.exp(-age / 0.01)
    sound = np.zeros(round(seconds * RATE) + len(click))
    for frame in frames:
        sound[CLOCK.start_sample(frame) :][: len(click)] += click
    return sound[: round(seconds * RATE)]


def decibels(sound):
    return 10 * np.log10(np.mean(np.square(sound, dtype=np.float64)) + 1e-20)


@pytest.mark.parametrize("kind", KINDS)
def test_a_film_under_its_own_prediction_plays_through(kind):
    target, film = target_named(kind), noise()
    mosaic = MosaicSynthesiser(
        target, corpus_of(noise(seed=1), film), MosaicSettings(no_repeat_seconds=1)
    )
    sound = play(mosaic, foretold(target, film))
    assert len(sound) == len(film)
    # But for the frames at its ends, which have no sound around them to be units.
    inner = slice(4 * 735, -4 * 735)
    np.testing.assert_allclose(sound[inner], np.float32(film)[inner], atol=2e-4)


@pytest.mark.parametrize("fps", [Fraction(24), Fraction(30000, 1001)])
def test_the_length_is_that_of_the_frames_at_any_rate(fps):
    clock = Clock(fps, RATE)
    recipe = parse_recipe({"name": "odd", "network": {"kind": "mlp", "hidden": [8]},
                          "target": KINDS["log-mag"], "clock": {"fps": str(fps)}})  # fmt: skip
    target, film = build_target(recipe, 0.1), noise()
    corpus = Corpus(clock, (Piece("a", 0, np.float32(film)),))
    predictions = foretold(target, film, clock)
    sound = play(MosaicSynthesiser(target, corpus), predictions, clock=clock)
    assert len(sound) == clock.start_sample(len(predictions))
    np.testing.assert_allclose(sound[4000:40_000], film[4000:40_000], atol=2e-3)


@pytest.mark.parametrize("settings", [MosaicSettings(), MosaicSettings(0.3, 0.8, 0.5)])
def test_batches_of_any_size_give_the_same(settings):
    target, corpus = target_named(), corpus_of(noise(seed=1), tone(300), clicks([9, 20, 33]))
    wanted = np.concatenate([noise(seed=2), np.zeros(9000), clicks([3, 50]), tone(310)])
    predictions = foretold(target, wanted)
    whole = play(MosaicSynthesiser(target, corpus, settings, seed=3), predictions, len(predictions))
    for batch in (1, 7, CHUNK_FRAMES, 100):
        again = play(MosaicSynthesiser(target, corpus, settings, seed=3), predictions, batch)
        np.testing.assert_array_equal(again, whole)


def test_semitones_are_found():
    scale = [180 * 2 ** (step / 12) for step in range(8)]
    target = target_named()
    corpus = corpus_of(np.concatenate([tone(hertz, 1) for hertz in scale]))
    for hertz in scale:
        # Other level and phase than in the corpus; held for longer than it is there.
        sound = play(
            MosaicSynthesiser(target, corpus), foretold(target, tone(hertz, 1.8, 0.07)[77:])
        )
        middle = sound[6000:30_000]
        peak = np.abs(np.fft.rfft(middle * np.hanning(len(middle)))).argmax() * RATE / len(middle)
        assert abs(12 * np.log2(peak / hertz)) < 0.3
        assert decibels(middle) == pytest.approx(decibels(tone(hertz, 1, 0.07)), abs=1)


def test_attacks_stand_where_they_are_foretold():
    target = target_named()
    corpus = corpus_of(clicks([10, 31, 60]), noise(level=0.003))
    frames = [7, 18, 40, 46, 75]
    wanted = clicks(frames)
    sound = play(MosaicSynthesiser(target, corpus), foretold(target, wanted))
    for frame in frames:
        at = CLOCK.start_sample(frame)
        before, after = sound[at - 60 : at - 5], sound[at : at + 60]
        assert np.abs(after).max() > 0.2
        assert np.abs(after).max() > 3 * np.abs(before).max()


def test_predicted_silence_is_digital_silence():
    target, corpus = target_named(), corpus_of(noise(seed=1), noise(level=0.01))
    predictions = foretold(target, noise(3, seed=2))
    predictions[20:50] = 0
    sound = play(MosaicSynthesiser(target, corpus), predictions)
    assert not sound[CLOCK.start_sample(20) : CLOCK.start_sample(50)].any()
    assert decibels(sound[CLOCK.start_sample(16) : CLOCK.start_sample(19)]) > -25
    assert decibels(sound[CLOCK.start_sample(51) : CLOCK.start_sample(54)]) > -25
    for edge in (20, 50):  # no click: noise ends and begins under a fade
        assert (
            np.abs(sound[CLOCK.start_sample(edge) - 3 : CLOCK.start_sample(edge) + 3]).max() < 0.02
        )


def test_loudness_is_followed_as_much_as_asked():
    target, corpus = target_named(), corpus_of(noise(seed=1))
    predictions = foretold(target, noise(seed=2)) * 0.25  # 12 dB softer
    levels = {}
    for follow in (0.0, 0.5, 1.0):
        sound = play(
            MosaicSynthesiser(target, corpus, MosaicSettings(follow_loudness=follow)), predictions
        )
        levels[follow] = decibels(sound[5000:60_000])
    assert levels[0.0] == pytest.approx(-20, abs=1)
    assert levels[0.5] == pytest.approx(-26, abs=1)
    assert levels[1.0] == pytest.approx(-32, abs=1)


def test_boost_is_limited():
    loud = noise(0.2, seed=1, level=0.3)
    soft = np.concatenate([noise(3, seed=1, level=0.001), loud])
    target, corpus = target_named(), corpus_of(soft)
    settings = MosaicSettings(no_repeat_seconds=5)  # so that the loud end is played once at most
    sound = play(MosaicSynthesiser(target, corpus, settings), foretold(target, noise(seed=2)))
    assert np.median(np.abs(sound)) == pytest.approx(0.6745 * 0.001 * 10 ** (12 / 20), rel=0.1)


def test_a_brain_that_errs_is_no_louder_than_the_corpus():
    target, corpus = target_named(), corpus_of(tone(300, level=0.1), noise(level=0.01))
    predictions = foretold(target, tone(300, level=0.1))
    predictions[:, :, 400] = 1e3  # a magnitude of 60 dBFS, where the corpus has next to nothing
    sound = play(MosaicSynthesiser(target, corpus), predictions)[5000:-5000]
    assert np.abs(sound).max() < 0.15
    assert np.abs(np.fft.rfft(sound)).argmax() * RATE / len(sound) == pytest.approx(300, abs=1)


def test_gain_has_no_steps():
    target, corpus = target_named(), corpus_of(tone(200, 3))
    swell = np.float32(10 ** (np.linspace(-30, 0, 90) / 20))[:, None, None]
    sound = play(MosaicSynthesiser(target, corpus), foretold(target, tone(200, 3)) * swell)
    inner = sound[3000:-3000]
    steepest = 2 * np.pi * 200 / RATE * 0.2
    assert np.abs(np.diff(inner)).max() < 1.1 * steepest


def chosen(settings, seed=0, sound=None, corpus=None):
    target = target_named()
    corpus = corpus_of(noise(6, seed=1)) if corpus is None else corpus
    mosaic = MosaicSynthesiser(target, corpus, settings, seed)
    looks = mosaic._extract_features(foretold(target, noise(2, seed=2) if sound is None else sound))
    return mosaic, mosaic._selector.select(looks)


def melody(seconds, seed):
    """Return notes of two frames each, in noise."""
    notes = np.random.default_rng(seed).integers(0, 24, round(seconds * 15))
    return np.concatenate([tone(200 * 2 ** (n / 12), 1 / 15) for n in notes]) + noise(
        len(notes) / 15, seed, 0.01
    )


def natural(mosaic, units):
    return np.mean([mosaic.database.next_unit[a] == b for a, b in pairwise(units)])


def test_literal_weighs_likeness_against_going_on():
    corpus, wanted = corpus_of(melody(8, 1)), melody(2, 2)
    shares = [
        natural(*chosen(MosaicSettings(literal, no_repeat_seconds=0), 0, wanted, corpus))
        for literal in (0, 0.5, 1)
    ]
    assert shares[0] == 1
    assert 1 > shares[1] >= shares[2]


def test_wholly_literal_is_the_nearest_unit():
    corpus, wanted = corpus_of(melody(8, 1)), melody(2, 2)
    mosaic, units = chosen(MosaicSettings(1.0, no_repeat_seconds=0), 0, wanted, corpus)
    target = target_named()
    looks = MosaicSynthesiser(target, corpus)._extract_features(foretold(target, wanted))
    unlike = ((looks.vectors[:, None] - mosaic.database.features.vectors) ** 2).sum(
        2
    )  # the slow way
    np.testing.assert_array_equal(units, unlike.argmin(1))


# Each corpus is so short that the nearest units alone would repeat too soon.
@pytest.mark.parametrize(
    ("seconds", "frames", "hertz", "corpus_seconds"), [(0.3, 9, 310, 0.45), (1.0, 30, 310, 1.18)]
)
def test_units_are_not_repeated_too_soon(seconds, frames, hertz, corpus_seconds):
    def smallest_gap(no_repeat):
        settings = MosaicSettings(no_repeat_seconds=no_repeat)
        corpus = corpus_of(tone(hertz, corpus_seconds))
        units = chosen(settings, sound=tone(hertz, 3)[50:], corpus=corpus)[1]
        return np.concatenate([np.diff(np.flatnonzero(units == u)) for u in set(units)]).min()

    assert smallest_gap(0) <= frames < smallest_gap(seconds)


def test_a_corpus_of_one_unit_repeats_rather_than_fails():
    target = target_named()
    film = noise(0.13, seed=1)
    mosaic = MosaicSynthesiser(target, corpus_of(film))
    sound = play(mosaic, foretold(target, noise(1)))
    assert 1 <= len(mosaic.database) <= 3
    assert decibels(sound) == pytest.approx(-20, abs=3)


def test_variety_is_chance_under_a_seed():
    plain = chosen(MosaicSettings(), seed=1)[1]
    np.testing.assert_array_equal(plain, chosen(MosaicSettings(), seed=2)[1])
    one, same, other = (chosen(MosaicSettings(variety=1.0), seed)[1] for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, same)
    assert (one != other).any()


def test_only_some_films_are_heard():
    target, corpus = target_named(), corpus_of(tone(300), tone(600))
    for film, hertz in (("a", 300), ("b", 600)):
        mosaic = MosaicSynthesiser(target, corpus, MosaicSettings(films=(film,)))
        sound = play(mosaic, foretold(target, tone(300)))[5000:38_075]
        assert np.abs(np.fft.rfft(sound)).argmax() * RATE / len(sound) == pytest.approx(
            hertz, abs=1
        )
    with pytest.raises(
        BrainError, match="got 'c', expected a film of the brain's corpus; the nearest are: a, b"
    ):
        MosaicSynthesiser(target, corpus, MosaicSettings(films=("c",)))


@pytest.mark.parametrize(
    ("settings", "match"),
    [
        ({"literal": 1.5}, r"got literal 1\.5, expected 0 to 1"),
        ({"literal": float("nan")}, "got literal nan, expected 0 to 1"),
        ({"variety": -0.1}, r"got variety -0\.1, expected 0 to 1"),
        ({"no_repeat_seconds": 11}, "got no_repeat_seconds 11, expected 0 to 10"),
        ({"follow_loudness": 2}, "got follow_loudness 2, expected 0 to 1"),
        ({"films": ()}, "got no films"),
    ],
)
def test_settings_out_of_range_are_named(settings, match):
    with pytest.raises(SoundtrackError, match=match):
        MosaicSettings(**settings)


def test_a_corpus_that_cannot_be_cut_is_refused():
    target = target_named()
    with pytest.raises(BrainError, match=r"the corpus is too short: 0\.05 s in 1 pieces"):
        MosaicSynthesiser(target, corpus_of(noise(0.05)))
    with pytest.raises(BrainError, match="the corpus is silent; give another as `corpus`"):
        MosaicSynthesiser(target, corpus_of(np.zeros(RATE)))


def test_units_stand_on_the_frames_of_their_film():
    film = noise(2)
    pieces = Piece("a", 0, np.float32(film[:20_000])), Piece("a", 20_111, np.float32(film[20_111:]))
    units = UnitDatabase.from_corpus(Corpus(CLOCK, pieces), target_named())
    second = units.starts >= 20_000
    places = units.starts + 111 * second
    np.testing.assert_array_equal(places % 735, 0)
    assert units.next_unit[np.flatnonzero(second)[0] - 1] == -1
    assert (units.next_unit[:-1] >= 0).sum() == len(units) - 2
    for unit in (0, len(units) - 1):
        at, place = units.starts[unit], places[unit]
        np.testing.assert_array_equal(units.read(at, at + 735), np.float32(film)[place:][:735])


@pytest.mark.parametrize("hertz", [110, 233, 517])
def test_joins_of_a_tone_are_in_phase(hertz):
    units = UnitDatabase.from_corpus(corpus_of(tone(hertz, 3)), target_named())
    joining = Concatenator(units, RATE)
    order = np.random.default_rng(0).permutation(len(units))[:40]
    sound = np.concatenate(
        [*(joining.append(u, 0.0, 735) for u in order.tolist()), joining.flush()]
    )
    inner = sound[735:-735]
    spectrum = np.abs(np.fft.rfft(inner * np.hanning(len(inner)))) ** 2
    bins = np.arange(len(spectrum)) * RATE / len(inner)
    assert spectrum[np.abs(bins - hertz) > 25].sum() < 0.02 * spectrum.sum()


def test_an_attack_is_not_shifted_and_a_rest_is_silence():
    film = clicks([10, 20, 30, 40]) + noise(level=1e-3)
    units = UnitDatabase.from_corpus(corpus_of(film), target_named())
    attacks = np.flatnonzero(units.is_transient)
    np.testing.assert_array_equal(units.starts[attacks], CLOCK.sample_bounds(50)[[10, 20, 30, 40]])
    joining = Concatenator(units, RATE)
    played = [5, int(attacks[2]), SILENCE, SILENCE, int(attacks[1])]
    sound = np.concatenate([*(joining.append(u, 0.0, 735) for u in played), joining.flush()])
    at = units.starts[played[1]]
    np.testing.assert_array_equal(sound[735 : 2 * 735 - 176], units.read(at, at + 559))
    assert not sound[2 * 735 : 4 * 735].any()
    at = units.starts[played[4]]
    np.testing.assert_array_equal(sound[4 * 735 + 22 :], units.read(at + 22, at + 735))
