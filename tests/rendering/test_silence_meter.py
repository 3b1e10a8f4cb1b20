"""How much of a soundtrack is silent is measured while it streams, and told with the reason."""

from fractions import Fraction

import numpy as np
import pytest

from frame2sound.brain.corpus import Corpus, Piece
from frame2sound.brain.event_curves import EventCurves
from frame2sound.clock import Clock
from frame2sound.rendering.frame_curves import FrameCurves
from frame2sound.rendering.silence_meter import SilenceMeter, SilenceReport, silent_share

CLOCK = Clock(Fraction(30), 8000)
FRAMES = 300


class Playback:
    """A renderer whose predictions are amplitudes; its sound is ``delay`` samples late."""

    sample_rate, channels, summary = CLOCK.sample_rate, 1, "played"

    def __init__(self, delay):
        self.delay, self.pending = delay, np.empty(0, np.float32)

    def process(self, predictions, bounds, frame_curves):
        sound = np.repeat(predictions, np.diff(bounds)).astype(np.float32)
        self.pending = np.concatenate([self.pending, sound])
        count = max(len(self.pending) - self.delay, 0)
        ready, self.pending = self.pending[:count], self.pending[count:]
        return ready

    def flush(self):
        return self.pending


def measure(amplitudes, brightness, motion, batch=64, delay=500, events=None):
    meter = SilenceMeter(Playback(delay))
    sound = []
    for at in range(0, FRAMES, batch):
        part = slice(at, min(at + batch, FRAMES))
        curves = FrameCurves(brightness[part], motion[part], 0 * motion[part], events)
        bounds = CLOCK.sample_bounds(part.stop - at, at)
        sound.append(meter.process(amplitudes[part], bounds, curves))
    sound.append(meter.flush())
    assert len(np.concatenate(sound)) == CLOCK.sample_bounds(FRAMES)[-1]
    return meter


GREY, MOVING = np.full(FRAMES, 0.5), np.full(FRAMES, 0.02)


@pytest.mark.parametrize("batch", [1, 7, 300])
@pytest.mark.parametrize("delay", [0, 500, 10**6])
def test_shares_of_silence_black_and_stillness(batch, delay):
    amplitudes, brightness, motion = np.full(FRAMES, 0.1), GREY.copy(), MOVING.copy()
    amplitudes[60:180] = 0  # 4 of 10 s: 1 s black, 2 s still, 1 s moving
    brightness[60:90] = 0
    motion[60:90], motion[90:150] = 0, 0
    report = measure(amplitudes, brightness, motion, batch, delay).report()
    assert report.silent_share == pytest.approx(0.4)
    assert report.black_share == pytest.approx(0.25)
    # Half a second before the picture moves again is not yet still.
    assert report.still_share == pytest.approx(0.5 - 0.125)


def test_a_picture_on_twos_moves():
    motion = np.where(np.arange(FRAMES) % 6, 0, 0.02)
    assert measure(np.zeros(FRAMES), GREY, motion).report().still_share == 0


@pytest.mark.parametrize(("level_db", "gain_db", "share"), [(-57, 0, 0), (-63, 0, 1), (-63, 6, 0)])
def test_below_60_dbfs_after_the_gain_is_silent(level_db, gain_db, share):
    meter = measure(np.full(FRAMES, 10 ** (level_db / 20)), GREY, MOVING)
    assert meter.report(gain_db).silent_share == share


def test_no_gain_makes_silence_sound():
    assert measure(np.zeros(FRAMES), GREY, MOVING).report(400).silent_share == 1


def corpus(silent_seconds):
    samples = np.full(80_000, 0.1, np.float32)
    samples[: silent_seconds * 8000] = 0
    return Corpus(CLOCK, (Piece("film", 0, samples),))


def test_the_silent_share_of_a_corpus():
    assert silent_share(corpus(7)) == pytest.approx(0.7)


def test_a_corpus_is_silent_where_both_sides_are():
    samples = np.zeros((10 * 48_000, 2), np.float32)
    samples[: 2 * 48_000, 0] = samples[48_000 : 3 * 48_000, 1] = 0.1
    films = Corpus(CLOCK, (Piece("film", 0, samples),), sample_rate=48_000)
    assert silent_share(films) == pytest.approx(0.7)


@pytest.mark.parametrize(
    ("report", "films", "expected"),
    [
        (SilenceReport(0.5, 0, 0), None, None),
        (SilenceReport(1, 0, 0), None, "the soundtrack is silent: the brain predicts no sound"),
        (SilenceReport(1, 0, 0), corpus(2), "the soundtrack is silent: the brain predicts no"),
        (SilenceReport(0.6, 0, 0), corpus(7), "60% of the soundtrack is silent: the brain's films"),
        (SilenceReport(0.7, 0.6, 0), None, "70% of the soundtrack is silent: the picture is black"),
        (SilenceReport(1, 0, 0.6), None, "the soundtrack is silent: the picture stands still"),
        (SilenceReport(1, 0.3, 0.3), None, "the soundtrack is silent: the picture is black or st"),
        (SilenceReport(1, 0, 0, True), None, "the soundtrack is silent: the brain finds few ev"),
    ],
)
def test_the_note_names_the_reason(report, films, expected):
    note = report.note(films)
    assert note is None if expected is None else note.startswith(expected)


def test_events_offer_sensitivity_as_a_remedy():
    numbers = np.zeros(FRAMES)
    events = EventCurves(
        numbers, numbers > 0, numbers, numbers, numbers, np.zeros((FRAMES, 64), np.float32)
    )
    for each, offered in ((None, False), (events, True)):
        note = measure(numbers, GREY, MOVING, FRAMES, events=each).report().note()
        assert ("`sensitivity`" in note) == offered
