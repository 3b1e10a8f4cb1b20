"""A mosaic of a corpus at its own rate, in stereo, has the place, side and pitch of its sounds."""

from fractions import Fraction

import numpy as np
import pytest
import soundfile

from frame2sound.brain.corpus import Corpus, Piece
from frame2sound.brain.pieces import quantise
from frame2sound.film.decoding.reader import FilmReader
from frame2sound.rendering.mosaic.concatenation import Concatenator
from frame2sound.rendering.mosaic.mosaic_settings import MosaicSettings
from frame2sound.rendering.mosaic.mosaic_synthesiser import MosaicSynthesiser
from frame2sound.rendering.mosaic.unit_database import UnitDatabase
from frame2sound.rendering.mosaic.unit_selection import SILENCE
from frame2sound.rendering.render import Delivery, Style, render
from tests.media_files import grey_pictures, make_film
from tests.rendering.foretelling import Foreteller
from tests.rendering.mosaic.test_mosaic_synthesiser import CLOCK, foretold, target_named

RATE, FRAME = 48_000, 1600
STEP = 2.0**-15
LEFT, RIGHT, BOTH = 20, 50, 80
"""The frames at which a low sound begins at left, a higher at right, and 15 kHz at both sides."""


def struck(hertz, decay, level=0.5):
    age = np.arange(6000) / RATE
    return level * np.cos(2 * np.pi * hertz * age) * np.exp(-age / decay)


def film():
    """Return sound ``(n, 2)`` in faint noise."""
    sound = np.random.default_rng(0).normal(0, 1e-3, (4 * RATE, 2))
    sound[LEFT * FRAME :][:6000, 0] += struck(1500, 0.01)
    sound[RIGHT * FRAME :][:6000, 1] += struck(2500, 0.01)
    sound[BOTH * FRAME :][:6000] += struck(15_000, 0.005)[:, None]
    return np.float32(sound)


def piece_of(sound, name="film", start=0):
    data, full_scale = quantise([sound], len(sound), sound.ndim)
    return Piece(name, start, data, full_scale)


def corpus_of(*pieces):
    return Corpus(CLOCK, pieces, sample_rate=RATE)


def play(mosaic, predictions, corpus, batch=128):
    sound = []
    for first in range(0, len(predictions), batch):
        some = predictions[first : first + batch]
        bounds = corpus.sound_clock.sample_bounds(len(some), first)
        sound.append(mosaic.process(some, bounds))
    return np.concatenate([*sound, mosaic.flush()])


@pytest.mark.parametrize("batch", [7, 128])
def test_clicks_at_left_and_right_and_15_khz_come_back_from_a_mosaic_of_their_film(batch):
    sound = film()
    corpus = corpus_of(piece_of(film()[::-1], "other"), piece_of(sound))
    (_, learned) = corpus.analysis.pieces
    target = target_named()
    mosaic = MosaicSynthesiser(target, corpus, MosaicSettings(no_repeat_seconds=1))
    played = play(mosaic, foretold(target, learned.samples), corpus, batch)
    assert played.shape == sound.shape
    inner = slice(4 * FRAME, -4 * FRAME)
    np.testing.assert_allclose(played[inner], sound[inner], atol=1.1 * STEP)


def test_attacks_are_found_at_the_rate_of_the_films():
    corpus = corpus_of(piece_of(film()))
    units = UnitDatabase.from_corpus(corpus, target_named())
    attacks = units.starts[units.is_transient]
    np.testing.assert_array_equal(attacks, np.array([LEFT, RIGHT, BOTH]) * FRAME)


def test_units_and_what_is_learned_of_them_are_the_same_frames():
    sound = film()
    whole = UnitDatabase.from_corpus(corpus_of(piece_of(sound)), target_named())
    cuts = [(0, 70_001), (70_001, 131_071), (131_071, len(sound))]
    pieces = [piece_of(sound[begin:end], "film", begin) for begin, end in cuts]
    parts = UnitDatabase.from_corpus(corpus_of(*pieces), target_named())
    assert len(whole) - 12 < len(parts) < len(whole)
    for unit, start in enumerate(parts.starts.tolist()):
        assert start % FRAME == 0
        same = int(np.flatnonzero(whole.starts == start)[0])
        assert parts.features.loudness_db[unit] == pytest.approx(
            whole.features.loudness_db[same], abs=0.3
        )
        np.testing.assert_array_equal(parts.read(start, start + 99), whole.read(start, start + 99))


@pytest.mark.parametrize("hertz", [110, 517, 9000])
def test_joins_of_a_tone_are_in_phase_on_both_sides(hertz):
    time = np.arange(3 * RATE) / RATE
    tone = np.sin(2 * np.pi * hertz * time)
    sound = np.float32(np.stack([0.2 * tone, -0.1 * tone], axis=1))
    units = UnitDatabase.from_corpus(corpus_of(piece_of(sound)), target_named())
    joining = Concatenator(units, RATE, 2)
    order = np.random.default_rng(0).permutation(len(units))[:30].tolist()
    played = [joining.append(unit, 0.0, FRAME) for unit in order]
    played = np.concatenate([*played, joining.flush()])[FRAME:-FRAME]
    np.testing.assert_allclose(played[:, 1], -0.5 * played[:, 0], atol=2 * STEP)
    spectrum = np.abs(np.fft.rfft(played[:, 0] * np.hanning(len(played)))) ** 2
    bins = np.arange(len(spectrum)) * RATE / len(played)
    assert spectrum[np.abs(bins - hertz) > 25].sum() < 0.02 * spectrum.sum()


def test_gains_fades_and_silence_are_those_of_both_sides():
    sound = np.float32(np.random.default_rng(0).normal(0, 0.1, (2 * RATE, 1)) * [1, 0.5])
    corpus = corpus_of(piece_of(sound))
    units = UnitDatabase.from_corpus(corpus, target_named())
    played = [(5, -6.0), (6, 0.0), (SILENCE, 0.0), (20, 3.0), (9, 0.0), (SILENCE, 0.0)]
    stereo = Concatenator(units, RATE, 2)
    got = np.concatenate([*(stereo.append(*each, FRAME) for each in played), stereo.flush()])
    mono = UnitDatabase.from_corpus(corpus_of(piece_of(sound[:, 0])), target_named())
    alone = Concatenator(mono, RATE)
    expected = np.concatenate([*(alone.append(*each, FRAME) for each in played), alone.flush()])
    assert got.shape == (6 * FRAME, 2)
    np.testing.assert_allclose(got[:, 0], expected, atol=4 * STEP)
    np.testing.assert_allclose(got[:, 1], expected / 2, atol=4 * STEP)
    assert not got[2 * FRAME : 3 * FRAME].any()


@pytest.mark.parametrize("stereo", ["no", "place"])
def test_a_rendered_file_has_the_rate_the_sides_and_the_length(tmp_path, stereo):
    corpus = corpus_of(piece_of(film()))
    brain = Foreteller("log-mag", sound=corpus.analysis.pieces[0].samples)
    path = make_film(tmp_path / "white.mov", grey_pictures([255] * 100), fps=Fraction(30))
    style = Style("mosaic", stereo=stereo)
    rendered = render(
        FilmReader(path), brain, tmp_path / "out.wav", style, Delivery(), corpus=corpus
    )
    assert (rendered.sample_rate, rendered.channels) == (RATE, 2)
    sound, rate = soundfile.read(tmp_path / "out.wav")
    assert (rate, sound.shape) == (RATE, (100 * FRAME, 2))
    heard = [sound[at * FRAME :][: FRAME // 2] for at in (LEFT, RIGHT, BOTH)]
    levels = np.array([np.sqrt(np.mean(np.square(part), axis=0)) for part in heard])
    if stereo == "place":  # the light is in the middle
        np.testing.assert_allclose(levels[:, 0], levels[:, 1], rtol=1e-3)
    else:
        assert levels[0, 0] > 30 * levels[0, 1]
        assert levels[1, 1] > 30 * levels[1, 0]
        assert levels[2, 0] == pytest.approx(levels[2, 1], rel=0.05)
    for part, hertz in zip(heard, (1500, 2500, 15_000), strict=True):
        loudest = part[:, np.square(part).sum(axis=0).argmax()]
        assert np.abs(loudest).argmax() <= 1
        assert np.abs(np.fft.rfft(loudest)).argmax() * RATE / len(loudest) == pytest.approx(
            hertz, abs=RATE / len(loudest)
        )
