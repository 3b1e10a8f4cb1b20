"""Live playing in simulated time: exact delays, no look-ahead, constant memory."""

import gc
import tracemalloc
from fractions import Fraction

import numpy as np
import pytest

from frame2sound.live.controls import Controls
from frame2sound.live.engine import BLOCK_SAMPLES, SAMPLE_RATE, LiveEngine
from frame2sound.live.frame_sources import PlayedFrames
from frame2sound.live.session import LiveSession, OfflineClock
from tests.live.playing import QUIET_BED, bells, bouncing, brain, clicks, film_of, flashes, play


@pytest.mark.parametrize(("fps", "delay_seconds"), [(24, 0.012), (30, 0.02), (60, 0.012)])
def test_each_flash_clicks_after_the_stated_delay(fps, delay_seconds):
    film, at = flashes(fps, 4)
    sound, events, session = play(film, fps, controls=QUIET_BED, delay_seconds=delay_seconds)
    delay = round(delay_seconds * SAMPLE_RATE)
    clicks = np.flatnonzero(sound[:, 0] > 0.79)  # the first sample of a click is its highest
    assert clicks.tolist() == [round(e.time_seconds * SAMPLE_RATE) + delay for e in events]
    # Until it has seen some, it may miss the flash and take the black after it.
    expected = [round(seconds * SAMPLE_RATE) + delay for seconds in at]
    assert clicks[2:].tolist() == expected[2:]
    assert len(clicks) == len(expected)
    summary = session.sound_delay.summary()
    assert summary["median_ms"] == summary["max_ms"] == pytest.approx(1e3 * delay_seconds)
    assert (summary["jitter_ms"], session.counts.late_events) == (0, 0)


def test_what_comes_later_changes_nothing_that_was_heard():
    pictures = bouncing()
    other = pictures.copy()
    other[60:] = pictures[60:][::-1]
    (heard, *_), (changed, *_) = (
        play(film_of(each, 30), 30, bells()) for each in (pictures, other)
    )
    until = round(60 / 30 * SAMPLE_RATE)
    assert np.abs(heard[:until]).max() > 0.01
    np.testing.assert_array_equal(heard[:until], changed[:until])
    assert not np.array_equal(heard[until:], changed[until : len(heard)])


def test_the_same_frames_sound_the_same_to_the_bit():
    film = film_of(bouncing()[:60], 30)
    first, second, other = (play(film, 30, bells(), seed=seed)[0] for seed in (3, 3, 4))
    np.testing.assert_array_equal(first, second)
    assert not np.array_equal(first, other)


def test_memory_does_not_grow():
    pictures = bouncing()[:60]
    for number in range(len(bells().played)):
        bells().unit(number)  # the cache of units is full from here on
    sizes = []

    def film():
        tracemalloc.start()
        for index, frame in enumerate(film_of(np.tile(pictures, (4, 1, 1)), 30)):
            if index in (120, 230):
                gc.collect()
                sizes.append(tracemalloc.get_traced_memory()[0])
            yield frame
        tracemalloc.stop()

    engine = LiveEngine(brain(), bells(), 30)
    session = LiveSession(engine, PlayedFrames("film", Fraction(30), film))
    session.run(OfflineClock(engine, lambda block, first, seconds: None))
    assert session.counts.frames == 240
    assert abs(sizes[1] - sizes[0]) < 384_000  # a second of sound; 3.7 pass


def test_a_late_event_sounds_at_once_and_is_counted():
    film, _ = flashes(60, 1.5)
    engine = LiveEngine(brain(), clicks(), 60, controls=QUIET_BED)
    late = []
    for frame in film:
        arrival = round(frame.start_seconds * SAMPLE_RATE)
        while engine.position < arrival + 1024:  # the sound card is ahead by 21 ms
            engine.read()
        position = engine.position
        if (played := engine.see(frame.picture, arrival)) is not None:
            late.append(played.late_samples)
            assert played.onset_sample == position
            assert engine.read()[0, 0] == pytest.approx(0.8, abs=0.01)
    assert len(late) == 2
    assert min(late) >= 1024 - engine.delay


def test_controls_act_on_what_is_heard():
    film, _ = flashes(60, 2)
    plain = play(film, 60, controls=QUIET_BED)[0]
    softer = play(film, 60, controls=QUIET_BED.with_value("gain", -6))[0]
    np.testing.assert_allclose(softer, plain * 10 ** (-6 / 20), atol=1e-6)
    quieter = play(film, 60, controls=QUIET_BED.with_value("event_gain", -20))[0]
    assert quieter.max() == pytest.approx(plain.max() / 10, rel=0.01)
    assert not play(film, 60, controls=QUIET_BED.with_value("mute", 1))[0].any()
    assert not play(film, 60, controls=QUIET_BED.with_value("sensitivity", 0))[1]


def test_grains_have_the_level_that_is_asked_for():
    film = film_of(bouncing()[:60], 30)
    beds = [Controls(event_gain=-60, bed_gain=gain) for gain in (0, -12)]
    loud, soft = (play(film, 30, bells(), controls=bed)[0] for bed in beds)
    levels = [10 * np.log10(np.square(each[SAMPLE_RATE:]).mean()) for each in (loud, soft)]
    assert levels[0] - levels[1] == pytest.approx(12, abs=1)
    assert len(loud) % BLOCK_SAMPLES == 0


def test_a_triggered_event_plays_without_a_frame():
    engine = LiveEngine(brain(), clicks(), 30)
    played = engine.trigger(-10.0, 1000)
    sound = np.concatenate([engine.read() for _ in range(10)])
    assert played.onset_sample == 1000 + engine.delay
    assert np.abs(sound).max(axis=1).argmax() == played.onset_sample
