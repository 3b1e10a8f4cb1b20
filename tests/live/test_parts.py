"""The parts of live playing: the ring of sound, the choice of events, controls, delays, pitch."""

from pathlib import Path

import numpy as np
import pytest

from frame2sound.brain.motion import USUAL_SCALE
from frame2sound.errors import SoundtrackError
from frame2sound.live.causal_picker import CausalPicker
from frame2sound.live.controls import CONTROL_NAMES, Controls, parse_controls
from frame2sound.live.frame_analysis import LearnedScale
from frame2sound.live.latency import LatencyCounter
from frame2sound.live.live_corpus import corpus_at_rate, transposed
from frame2sound.live.sound_ring import SoundRing
from tests.live.playing import bouncing, brain


def steps(count, first=1):
    return np.repeat(np.arange(first, first + count, dtype=np.float32)[:, None], 2, 1)


def test_sounds_add_up_where_they_are_put_also_across_the_end_of_the_ring():
    ring = SoundRing(100)
    out = []
    for start in range(0, 400, 40):
        assert ring.add(steps(30), start + 5) == 0
        assert ring.add(steps(30), start + 20) == 0
        out.append(ring.read(40))
    expected = np.zeros((500, 2))
    for start in range(0, 400, 40):
        expected[start + 5 : start + 35] += steps(30)
        expected[start + 20 : start + 50] += steps(30)
    np.testing.assert_array_equal(np.concatenate(out), expected[:400])
    assert (ring.position, ring.pending) == (400, 10)


def test_what_is_late_begins_at_once_and_what_is_too_long_is_cut():
    ring = SoundRing(100)
    ring.read(64)
    assert ring.add(steps(10), 60, lead=4) == 0  # of the lead nothing is left, the onset is on time
    np.testing.assert_array_equal(ring.read(6), steps(6, first=5))
    assert ring.add(steps(10), 60, lead=4) == 6
    assert ring.add(steps(300), 70) == 0
    np.testing.assert_array_equal(ring.read(100)[:6], steps(6, first=5) + steps(6))
    assert not ring.read(100).any()


def picked(strengths, *, fps=10, sensitivity=0.5, min_gap=0.07, still=()):
    picker = CausalPicker()
    return [
        index
        for index, strength in enumerate(strengths)
        if picker.is_event(strength, index / fps, sensitivity, min_gap, is_new=index not in still)
    ]


def test_an_event_begins_where_the_strength_rises_through_the_threshold():
    assert picked([0, 0.9, 1.1, 2, 1.9, 0.5, 1.2]) == [2, 6]
    assert picked([2, 1.5, 1.45, 1.6, 1.3, 1.5]) == [0, 5]  # not before it fell by 30 %
    assert picked([0, 0.3, 0.1, 0.6], sensitivity=1) == [1, 3]
    assert picked([0, 3, 0, 3], sensitivity=0) == []
    assert picked([0, 2, 0, 2, 0, 2], min_gap=0.35) == [1, 5]
    assert picked([2, *[0] * 8, 2], still=range(1, 9)) == [0, 9]  # a picture that stands re-arms


def test_controls_are_limited_and_read_strictly():
    assert Controls(gain=99, density=1).gain == 12
    assert Controls().with_value("density", 1).density == 5
    with pytest.raises(SoundtrackError, match="gain=nan"):
        Controls(gain=float("nan"))
    assert parse_controls(["event_gain=-3", "grain=0.2"]) == Controls(event_gain=-3, grain=0.2)
    for wrong in ("gain=13", "gain=x", "volume=1", "gain"):
        with pytest.raises(SoundtrackError, match="expected"):
            parse_controls([wrong])
    assert all(getattr(Controls(), name) is not None for name in CONTROL_NAMES)


def test_percentiles_of_delays():
    counter = LatencyCounter()
    assert counter.summary() == {"median_ms": 0, "p99_ms": 0, "max_ms": 0, "jitter_ms": 0}
    for milliseconds in range(1, 101):
        counter.add(milliseconds / 1e3)
    assert counter.percentile_ms(50) == pytest.approx(50, abs=0.021)
    assert counter.percentile_ms(99) == pytest.approx(99, abs=0.021)
    assert counter.summary()["jitter_ms"] == pytest.approx(49, abs=0.03)
    counter.add(5.0)
    assert counter.summary()["max_ms"] == 5000


def test_the_scale_of_motion_begins_as_usual_and_becomes_the_films():
    from frame2sound.brain.motion import MotionScale, MotionStream

    scale, own = LearnedScale(), MotionScale()
    np.testing.assert_allclose(scale.values, USUAL_SCALE)
    motion = MotionStream().process(bouncing())
    for _ in range(40):
        scale.observe(motion)
        own.observe(motion)
    np.testing.assert_allclose(scale.values, own.values, rtol=0.1)


def test_transposing_by_an_octave_halves_the_length_and_doubles_the_pitch():
    tone = np.sin(2 * np.pi * 440 * np.arange(48_000) / 48_000).astype(np.float32)
    sound = np.stack([tone, -tone], axis=1)
    assert transposed(sound, 0) is sound
    higher = transposed(sound, 12)
    assert len(higher) == 24_000
    spectrum = np.abs(np.fft.rfft(higher[:, 0]))
    assert spectrum.argmax() * 48_000 / len(higher) == pytest.approx(880, abs=2)


def test_a_corpus_is_brought_to_the_rate_of_the_sound_card():
    corpus = brain().corpus
    assert corpus_at_rate(corpus, corpus.sample_rate) is corpus
    half = corpus_at_rate(corpus, corpus.sample_rate // 2)
    assert half.seconds == pytest.approx(corpus.seconds, abs=1e-3)
    for old, new in zip(corpus.pieces, half.pieces, strict=True):
        powers = [np.square(piece.samples).mean() for piece in (old, new)]
        assert new.start_sample == pytest.approx(old.start_sample / 2, abs=1)
        assert powers[1] == pytest.approx(powers[0], rel=0.1)


@pytest.mark.parametrize("name", CONTROL_NAMES)
def test_each_control_is_described_with_its_range_and_default(name):
    page = (Path(__file__).parents[2] / "docs" / "how-to" / "live.md").read_text(encoding="utf-8")
    about, default = Controls.__dataclass_fields__[name].metadata, getattr(Controls(), name)
    limits = f"{about['low']:g} to {about['high']:g}"
    unit = f" {about['unit']} " if about["unit"] else " "
    row = f"| `{name}` | {limits} | {default:g} |{unit}| {about['meaning']} |"
    assert row in page
