"""Batches are prepared in order, some seconds ahead; a mute network is rescued by motion."""

from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest

from frame2sound.brain.predictor import StatelessPredictor
from frame2sound.brain.targets import PcmBlocks
from frame2sound.clock import Clock
from frame2sound.rendering.events.event_picker import EventPicker
from frame2sound.rendering.prepared_frames import (
    LOOK_AHEAD_SECONDS,
    MAX_LOOK_AHEAD_SECONDS,
    MIN_MOVING_SECONDS,
    prepare_frames,
)
from tests.brain.motion_heads import known_head, linear

FPS = 10
LOUD_DB, SOUND_DB, BED_DB, STILL_DB = -20.0, -30.0, -35.0, -65.0


class Headed(StatelessPredictor):
    """A predictor with a motion head, whose predictions have one level and count frames."""

    def __init__(self, level_db=LOUD_DB, head=None, fps=FPS):
        self.clock = Clock(Fraction(fps), 8000)
        self.target = PcmBlocks(0, self.clock.max_samples_per_frame)
        self.head, self.amplitude, self.count = head, 10 ** (level_db / 20), 0

    @property
    def motion_head(self):
        return self.head

    def predict(self, frames):
        numbers = np.arange(self.count, self.count + len(frames))
        self.count += len(frames)
        blocks = np.full((len(frames), 64), self.amplitude, np.float32)
        blocks[:, 0] *= np.where(numbers % 2, -1, 1)
        return blocks


def head_of(**decisions):
    """Return a head whose onsets follow the change of the picture; its levels are constant."""
    bed, all_sound = linear(0.0, BED_DB), linear(0.0, SOUND_DB)
    return known_head(bed=bed, all_sound=all_sound, **({"loud_level_db": LOUD_DB} | decisions))


def moving(count, flashes=(), still=False):
    """Return a square that moves to and fro by a pixel a frame, and lights up for some frames."""
    places = 24 - np.abs(np.arange(count) % 48 - 24) if not still else np.zeros(count, np.int64)
    frames = np.zeros((count, 64, 64), np.uint8)
    for index, (frame, place) in enumerate(zip(frames, places, strict=True)):
        frame[24:40, place : place + 16] = 200 if index in flashes else 96
    return frames


def cut_up(frames, lengths):
    bounds = np.cumsum([0, *lengths])
    assert bounds[-1] == len(frames)
    return [frames[start:stop] for start, stop in pairwise(bounds)]


def prepare(predictor, batches):
    return prepare_frames(predictor, predictor.predict, batches)


@pytest.mark.parametrize("head", [None, head_of(), head_of(events="picture", level="picture")])
def test_batches_keep_their_order_number_and_length(head):
    frames = moving(250)
    lengths = [1, 7, 64, 100, 3, 50, 1, 24]
    found = list(prepare(Headed(head=head), cut_up(frames, lengths)))
    assert [len(batch.grey) for batch in found] == lengths
    np.testing.assert_array_equal(np.concatenate([batch.grey for batch in found]), frames)
    predictions = np.concatenate([batch.predictions for batch in found])
    expected = Headed().predict(frames)
    np.testing.assert_allclose(predictions, expected, rtol=1e-6)


def test_colour_becomes_grey():
    grey = moving(20)
    (batch,) = prepare(Headed(), [np.repeat(grey[..., None], 3, axis=3)])
    np.testing.assert_array_equal(batch.grey, grey)


def test_no_frames_are_no_batches():
    assert list(prepare(Headed(head=head_of()), [])) == []


def read_before_first(predictor, frames, batch=5):
    """Return how many frames are read before the first batch comes out."""
    read = []

    def reader():
        for start in range(0, len(frames), batch):
            read.append(batch)
            yield frames[start : start + batch]

    next(iter(prepare(predictor, reader())))
    return sum(read)


def test_ten_seconds_are_read_ahead_of_what_moves():
    ahead = read_before_first(Headed(head=head_of()), moving(300))
    assert ahead == LOOK_AHEAD_SECONDS * FPS + 5


def test_up_to_a_minute_is_read_ahead_of_what_stands():
    frames = np.concatenate([moving(200, still=True), moving(800)])
    ahead = read_before_first(Headed(head=head_of()), frames)
    # The first frame is new, too: the 30th that moves is the 29th after the still.
    assert ahead == 200 + MIN_MOVING_SECONDS * FPS
    ahead = read_before_first(Headed(head=head_of()), moving(1000, still=True))
    assert ahead == MAX_LOOK_AHEAD_SECONDS * FPS + 5


def test_a_film_without_a_head_is_not_read_ahead():
    assert read_before_first(Headed(), moving(300)) == 5


def events_of(batches):
    picker = EventPicker(Fraction(FPS))
    picked = [event for batch in batches for event in picker.process(batch.events)]
    return [event.frame for event in [*picked, *picker.flush()]]


FLASHES = [20, 85, 150, 215, 280]
CONTRAST = {"threshold": 1.9, "event_scale": 1.0}
"""Between the strengths of a step, log(1 + 3), and of a flash, eight times as large."""


@pytest.mark.parametrize("length", [1, 13, 300])
def test_where_motion_speaks_events_are_where_the_square_lights_up(length):
    lengths = [min(length, 300 - at) for at in range(0, 300, length)]
    head = head_of(**CONTRAST)
    found = list(prepare(Headed(head=head), cut_up(moving(300, FLASHES), lengths)))
    assert events_of(found) == FLASHES


@pytest.mark.parametrize("below", [0.0, 25.0])
def test_a_network_that_knows_the_pictures_is_left_alone(below):
    head = head_of(events="picture", level="picture")
    frames, predictor = moving(200), Headed(LOUD_DB - below, head)
    (batch,) = prepare(predictor, [frames])
    assert batch.events is None
    level = 10 * np.log10(np.mean(np.square(batch.predictions, dtype=float), axis=1))
    # At most what is needed, in bins of half a decibel.
    np.testing.assert_allclose(level, LOUD_DB, atol=0.5)


@pytest.mark.parametrize("level", ["picture", "motion"])
def test_a_mute_network_is_rescued_by_the_motion_head(level):
    head = head_of(events="picture", level=level, **CONTRAST)
    found = list(prepare(Headed(LOUD_DB - 40, head), cut_up(moving(200, [50, 120]), [64, 136])))
    assert events_of(found) == [50, 120]
    bed = np.concatenate([batch.events.bed_db for batch in found])
    np.testing.assert_allclose(bed, BED_DB)


def test_a_still_that_a_network_is_silent_for_stays_silent():
    head = head_of(events="picture", level="picture")
    blank = np.full((700, 64, 64), 90, np.uint8)
    predictor = Headed(-200.0, head)
    found = list(prepare(predictor, cut_up(blank, [128] * 5 + [60])))
    assert sum(len(batch.grey) for batch in found) == 700
    predictions = np.concatenate([batch.predictions for batch in found])
    assert np.abs(predictions).max() < 1e-4
    for batch in found:
        assert batch.events is None or not (batch.events.strength[1:] >= 1).any()


def test_where_motion_says_the_level_predictions_have_it():
    head = head_of(events="picture", level="motion")
    (batch,) = prepare(Headed(-25.0, head), [moving(200)])
    assert batch.events is None
    level = 10 * np.log10(np.mean(np.square(batch.predictions, dtype=float), axis=1))
    np.testing.assert_allclose(level, SOUND_DB, atol=1e-3)


def test_a_still_has_the_level_of_stills():
    bed = linear(20.0, STILL_DB)
    head = known_head(bed=bed, all_sound=bed, events="picture", level="motion")
    frames = np.concatenate([moving(100), np.repeat(moving(100)[-1:], 60, axis=0)])
    (batch,) = prepare(Headed(-25.0, head), [frames])
    level = 10 * np.log10(np.mean(np.square(batch.predictions, dtype=float), axis=1))
    assert level[5:100].min() > STILL_DB + 10
    assert level[-1] == pytest.approx(STILL_DB, abs=0.1)


def test_motion_is_measured_beside_the_film_s_own_95th_percentile():
    frames = moving(200, FLASHES[:4])
    (found,) = prepare(Headed(head=head_of()), [frames])
    change = np.abs(np.diff(frames.astype(np.float64), axis=0)).mean(axis=(1, 2))
    strengths = np.log1p(3 * change / np.percentile(change, 95)) / (0.5 * 0.8)
    # Percentiles are those of bins of 4.7 %.
    np.testing.assert_allclose(found.events.strength[1:], strengths, rtol=0.03)


def test_what_follows_sets_the_measure_of_what_came_before():
    quiet, loud = moving(50), moving(50) * np.uint8(2)
    (alone,) = prepare(Headed(head=head_of()), [quiet])
    before, _ = prepare(Headed(head=head_of()), [quiet, loud])
    assert alone.events.strength[1] == pytest.approx(np.log1p(3) / 0.4, rel=0.03)
    assert before.events.strength[1] == pytest.approx(np.log1p(1.5) / 0.4, rel=0.03)
