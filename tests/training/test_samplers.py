"""Samplers visit each pair at most once, and streams are sequences in time."""

from itertools import pairwise

import numpy as np
import pytest

from frame2sound.brain.targets import PcmBlocks
from frame2sound.clock import Clock
from frame2sound.training.dataset import PairDataset
from frame2sound.training.samplers import (
    CHUNKS_PER_PIECE,
    OVERLAY_CHUNKS,
    SequenceSampler,
    ShuffledSampler,
    make_sampler,
    sequential_steps,
)

CLOCK = Clock(30, 8000)


def runs_of(*lengths):
    return np.split(np.arange(sum(lengths)), np.cumsum(lengths)[:-1])


RUNS = {
    "one long": runs_of(700),
    "long and short": runs_of(300, 1, 250, 3, 90),
    "many short": runs_of(*[5] * 60),
    "few pairs": runs_of(9, 8),
    "one pair": runs_of(1),
}
every_run = pytest.mark.parametrize("runs", RUNS.values(), ids=RUNS)
every_size = pytest.mark.parametrize(
    ("batch", "chunk"), [(128, 32), (16, 2), (24, 3), (1, 1), (5, 8)]
)


def streams(runs, batch, chunk, overlay=0.0, seed=0):
    return SequenceSampler(runs, batch, 16, chunk, overlay, seed)


def visited(steps, part="indices"):
    numbers = np.concatenate([getattr(step, part).ravel() for step in steps])
    return numbers[numbers >= 0]


@every_run
@every_size
def test_streams_visit_each_pair_at_most_once(runs, batch, chunk):
    plan = streams(runs, batch, chunk)
    for number in range(4):
        steps = list(plan.iterate_epoch(number))
        assert len(steps) == plan.steps_per_epoch
        taken = visited(steps)
        assert len(taken) == len(set(taken))
        assert set(taken) <= set(np.concatenate(runs))
        for step in steps:
            assert (
                step.indices.shape
                == step.overlay_indices.shape
                == (plan.stream_count, plan.chunk_length)
            )
            assert step.starts.shape == (plan.stream_count,)
            assert (step.overlay_indices == -1).all()
            assert (step.indices >= 0).any()


@every_run
def test_streams_visit_every_pair_within_some_epochs(runs):
    plan = streams(runs, 24, 3)
    taken = set(visited([step for number in range(12) for step in plan.iterate_epoch(number)]))
    assert taken == set(np.concatenate(runs))


@every_run
@every_size
def test_streams_continue_within_a_run_or_start(runs, batch, chunk):
    plan = streams(runs, batch, chunk)
    run_of = {pair: number for number, run in enumerate(runs) for pair in run}
    for stream in range(plan.stream_count):
        steps = list(plan.iterate_epoch(1))
        assert steps[0].starts[stream]
        since = 0
        for before, step in pairwise([None, *steps]):
            here = step.indices[stream]
            length = int((here >= 0).sum())
            assert (here[length:] == -1).all()
            pairs = here[:length]
            assert (np.diff(pairs) == 1).all()
            assert len({run_of[pair] for pair in pairs}) <= 1
            since = 1 if step.starts[stream] else since + 1
            assert since <= CHUNKS_PER_PIECE
            if not step.starts[stream]:
                last = before.indices[stream][-1]
                assert pairs[0] == last + 1
                assert run_of[pairs[0]] == run_of[last]


@every_run
def test_streams_start_as_rarely_as_possible(runs):
    plan = streams(runs, 24, 3)
    beginnings = sum(step.starts.sum() for step in plan.iterate_epoch(0))
    # At the ends and the uneven beginnings of runs, at pieces, and where streams and epochs begin.
    most = (
        sum(2 + len(run) // (CHUNKS_PER_PIECE * plan.chunk_length) for run in runs)
        + plan.stream_count
    )
    assert beginnings <= most + sum(
        (step.indices < 0).all(1).sum() for step in plan.iterate_epoch(0)
    )


@pytest.mark.parametrize(
    "plan", [ShuffledSampler(100, 9, 16, 0.5, 1, 3), streams(runs_of(70, 30), 8, 2, 0.5, 3)]
)
def test_an_epoch_is_reproducible(plan):
    def read(number):
        return [
            np.concatenate([step.indices.ravel(), step.overlay_indices.ravel(), step.starts])
            for step in plan.iterate_epoch(number)
        ]

    first, again, other = read(1), read(1), read(2)
    assert all(map(np.array_equal, first, again))
    assert not all(map(np.array_equal, first, other))


def test_pairs_keep_their_overlay_for_some_epochs():
    plan = ShuffledSampler(100, 9, 16, 0.5, 3, 0)
    kept = [plan.kept_overlays(epoch) for epoch in range(6)]
    assert all(np.array_equal(kept[0], other) for other in kept[1:3])
    assert np.array_equal(kept[3], kept[5])
    assert not np.array_equal(kept[2], kept[3])
    assert len(set(kept[0])) > 50
    mixed = []
    for epoch in range(6):
        for step in plan.iterate_epoch(epoch):
            indices, overlay = step.indices[:, 0], step.overlay_indices[:, 0]
            mixed.append(overlay >= 0)
            assert np.array_equal(overlay[mixed[-1]], kept[epoch][indices[mixed[-1]]])
    # Half of 576, plus or minus four deviations.
    assert abs(np.concatenate(mixed).mean() - 0.5) < 0.09


def test_overlays_that_are_drawn_for_every_step_are_not_kept():
    assert ShuffledSampler(100, 9, 16, 0.5, 1, 0).kept_overlays(0) is None
    assert ShuffledSampler(100, 9, 16, 0.0, 3, 0).kept_overlays(0) is None
    assert streams(runs_of(70, 30), 8, 2, 0.5).kept_overlays(0) is None


@pytest.mark.parametrize(("min_steps", "batch"), [(1, 50), (6, 16), (16, 6), (200, 1)])
def test_an_epoch_has_the_fewest_steps_that_are_asked_for(min_steps, batch):
    assert ShuffledSampler(100, 50, min_steps, 0.0, 1, 0).batch_size == batch
    plan = SequenceSampler(runs_of(100), 50, min_steps, 1, 0.0, 0)
    assert plan.stream_count == batch


@pytest.mark.parametrize("pairs", [1, 15, 100, 1000])
@pytest.mark.parametrize("batch", [1, 16, 128])
def test_shuffled_pairs_come_once_in_rows_of_their_own(pairs, batch):
    plan = ShuffledSampler(pairs, batch, 16, 0.0, 1, 0)
    steps = list(plan.iterate_epoch(0))
    assert len(steps) == plan.steps_per_epoch
    assert all(step.indices.shape == (plan.batch_size, 1) for step in steps)
    assert all(step.starts.all() for step in steps)
    taken = visited(steps)
    assert (
        len(taken)
        == len(set(taken))
        == plan.steps_per_epoch * plan.batch_size
        > pairs - plan.batch_size
    )
    # Batches are smaller where there would be fewer than 16, but hold one pair at least.
    assert plan.batch_size == (batch if 16 * batch <= pairs else max(1, pairs // 16))


@every_run
def test_overlays_are_sequences_in_time(runs):
    plan = streams(runs, 24, 3, overlay=1.0)
    ends = {int(run[-1]) for run in runs if len(run)}
    for number in range(3):
        steps = list(plan.iterate_epoch(number))
        for stream in range(plan.stream_count):
            unbroken = []
            for step in steps:
                which, over = step.indices[stream], step.overlay_indices[stream]
                # Only pairs have overlays.
                assert (which[over >= 0] >= 0).all()
                there = over[over >= 0]
                assert (over[: len(there)] == there).all()
                assert (np.diff(there) == 1).all()
                unbroken = [] if step.starts[stream] else unbroken
                unbroken.append(there)
                if len(unbroken) > OVERLAY_CHUNKS:
                    # At most one of the seams between these chunks is a change of overlay.
                    goes_on = [
                        len(before) == 0
                        or before[-1] in ends
                        or list(after[:1]) == [before[-1] + 1]
                        for before, after in pairwise(unbroken[-OVERLAY_CHUNKS - 1 :])
                    ]
                    assert sum(goes_on) >= OVERLAY_CHUNKS - 1


def test_overlays_come_from_anywhere():
    runs = runs_of(300, 20, 80)
    plan = streams(runs, 32, 4, overlay=1.0)
    steps = [step for number in range(300) for step in plan.iterate_epoch(number)]
    over = np.concatenate([step.overlay_indices[step.overlay_indices >= 0] for step in steps])
    share = np.bincount(over, minlength=400) / len(over)
    # In proportion to the length of runs; the first pairs of a run are drawn less often.
    for run in runs:
        assert share[run].sum() == pytest.approx(len(run) / 400, abs=0.05)
    assert (share > 0).all()


@pytest.mark.parametrize("share", [0.0, 0.3, 0.8])
def test_the_overlay_share_is_that_of_the_recipe(share):
    plan = streams(runs_of(*[40] * 200), 64, 4, share)
    steps = list(plan.iterate_epoch(0))
    begun = [
        (s.overlay_indices[stream] >= 0).any() for s in steps for stream in np.flatnonzero(s.starts)
    ]
    # A binomial's deviation of about 300 pieces is below 0.03; four times that.
    assert np.mean(begun) == pytest.approx(share, abs=0.12 if share else 0)


@pytest.fixture
def pairs(library, add_film):
    """Return the pairs of two films, one of which has a gap."""
    films = [add_film(library, "a", 2), add_film(library, "b", 2)]
    every = PairDataset.from_films(films, CLOCK, PcmBlocks(0, 267))
    return every.select(
        (every.film_indices == 0) | (every.clock_frames < 20) | (every.clock_frames >= 45)
    )


def test_runs_break_at_films_and_gaps(pairs):
    found = pairs.contiguous_runs()
    assert [len(run) for run in found] == [60, 20, 15]
    assert np.concatenate(found).tolist() == list(range(len(pairs)))
    assert pairs.select(np.zeros(len(pairs), bool)).contiguous_runs() == []


def test_streams_never_cross_films_or_gaps(pairs, small):
    recipe = small(chunk=4)
    plan = make_sampler(pairs, recipe, 0, is_recurrent=True)
    assert isinstance(plan, SequenceSampler)
    assert isinstance(make_sampler(pairs, recipe, 0, is_recurrent=False), ShuffledSampler)
    for step in plan.iterate_epoch(0):
        for row in step.indices:
            here = row[row >= 0]
            assert len(set(pairs.film_indices[here])) <= 1
            assert (np.diff(pairs.clock_frames[here]) == 1).all()


@pytest.mark.parametrize("chunk", [1, 7, 512])
def test_sequential_steps_visit_all_pairs_in_order(pairs, chunk):
    steps = list(sequential_steps(pairs, chunk))
    assert visited(steps).tolist() == list(range(len(pairs)))
    assert max(step.indices.size for step in steps) == min(
        chunk, max(map(len, pairs.contiguous_runs()))
    )
    firsts = {run[0] for run in pairs.contiguous_runs()}
    for step in steps:
        assert step.indices.shape[0] == 1
        assert step.starts.tolist() == [step.indices[0, 0] in firsts]
        assert (step.overlay_indices == -1).all()
