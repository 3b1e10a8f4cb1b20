"""What a motion head says of frames, and how it is kept in a brain's file."""

import json

import msgspec
import numpy as np
import pytest
from safetensors import safe_open
from safetensors.numpy import save_file

from frame2sound.brain.brain import Brain
from frame2sound.brain.brain_file import METADATA_KEY, load_brain, save_brain
from frame2sound.brain.event_head import (
    BED_SMOOTHING_FRAMES,
    head_from_file,
    head_to_file,
    thumbnails,
)
from frame2sound.brain.motion import MAX_GAP_FRAMES, MOTION_NUMBERS, Motion
from frame2sound.brain.ridge_regression import HIDDEN_UNITS
from frame2sound.errors import BrainError
from tests.brain.motion_heads import known_head, linear, random_head

FPS = 25.0
SCALE = np.ones(len(MOTION_NUMBERS))


def changes(sizes, is_new=None, gaps=1.0):
    """Return the motion of pictures that change by some grey levels."""
    numbers = np.zeros((len(sizes), len(MOTION_NUMBERS)), np.float32)
    numbers[:, 0] = sizes
    is_new = np.ones(len(sizes), np.bool_) if is_new is None else np.asarray(is_new, np.bool_)
    return Motion(is_new, np.where(is_new, gaps, 0.0), numbers)


def black(count):
    return np.zeros((count, 64, 64), np.uint8)


def predict(head, motion, *, events=True, event_scale=1.0, chunk=None):
    stream = head.start(FPS)
    if events:
        stream.begin_events()
    chunk = chunk or len(motion)
    return [
        stream.predict(black(len(part)), part, SCALE, event_scale)
        for at in range(0, len(motion), chunk)
        for part in [motion.select(slice(at, at + chunk))]
    ]


def test_strength_is_the_onset_curve_in_thresholds_of_the_film():
    sizes = np.array([0.0, 1.0, 3.0, 7.0])
    (curves,) = predict(known_head(), changes(sizes), event_scale=0.4)
    np.testing.assert_allclose(curves.strength, np.log1p(3 * sizes) / (0.5 * 0.4), rtol=1e-6)


def test_the_level_of_an_event_has_the_rank_of_its_prediction():
    sizes = np.array([0.0, 1.0, 3.0, 1000.0])
    (curves,) = predict(known_head(), changes(sizes))
    # Predictions of 0 to 4 become levels of -60 to -10 dBFS, and others the nearest of these.
    expected = -60 + 12.5 * np.minimum(np.log1p(3 * sizes), 4)
    np.testing.assert_allclose(curves.level_db, expected, rtol=1e-6)


def test_frames_that_repeat_a_picture_have_no_event_but_a_bed():
    motion = changes([3.0, 0, 3.0, 0], [True, False, True, False], gaps=2.0)
    (curves,) = predict(known_head(), motion)
    assert (curves.strength[1::2] == 0).all()
    assert (curves.level_db[1::2] == 0).all()
    assert curves.is_new.tolist() == [True, False, True, False]
    np.testing.assert_allclose(curves.lead_seconds, [2 / FPS, 0, 2 / FPS, 0])
    assert (curves.bed_db < -20).all()


def bed_at(targets, start):
    """Return the response of a smoother of first order."""
    value, found = start, []
    for target in targets:
        value += (1 - np.exp(-1 / BED_SMOOTHING_FRAMES)) * (target - value)
        found.append(value)
    return found


@pytest.mark.parametrize("events", [True, False])
def test_the_bed_approaches_the_level_of_each_picture(events):
    sizes = np.array([0.0, 2.0, 2.0, 0.5, 0.0, 0.0])
    (curves,) = predict(known_head(), changes(sizes), events=events)
    weight, bias = (10, -50) if events else (20, -45)
    levels = bias + weight * np.log1p(3 * sizes)
    np.testing.assert_allclose(curves.bed_db, bed_at(levels, bias), rtol=1e-6)


def test_the_bed_stays_within_the_levels_that_were_learned():
    head = known_head(bed=linear(10.0, -50.0, low=-48.0, high=-40.0))
    (curves,) = predict(head, changes([0.0] * 20 + [1e6] * 20))
    assert curves.bed_db[19] == pytest.approx(-48, abs=0.1)
    assert curves.bed_db[39] == pytest.approx(-40, abs=0.1)


def test_a_picture_that_stands_holds_its_level_for_eight_frames():
    count = 30
    (curves,) = predict(known_head(), changes([3.0] * count, np.arange(count) == 0))
    loud = -50 + 10 * np.log1p(9)
    targets = [loud] * MAX_GAP_FRAMES + [-50.0] * (count - MAX_GAP_FRAMES)
    np.testing.assert_allclose(curves.bed_db, bed_at(targets, -50.0), rtol=1e-6)


@pytest.mark.parametrize("chunk", [1, 7])
def test_chunks_do_not_matter(chunk):
    random = np.random.default_rng(0)
    motion = changes(random.exponential(2, 40), random.random(40) < 0.6, gaps=1.5)
    (whole,) = predict(known_head(), motion)
    parts = predict(known_head(), motion, chunk=chunk)
    for name in ("strength", "is_new", "lead_seconds", "level_db", "bed_db", "appearance"):
        joined = np.concatenate([getattr(part, name) for part in parts])
        # Products of matrices of other sizes may round differently.
        np.testing.assert_allclose(joined, getattr(whole, name), rtol=1e-12, atol=1e-12)


def test_thumbnails_are_means_of_eight_by_eight_pixels():
    frames = np.random.default_rng(0).integers(0, 256, (2, 64, 64), np.uint8)
    found = thumbnails(frames)
    assert found.shape == (2, 64)
    for row, column in ((0, 0), (3, 5), (7, 7)):
        cell = frames[1, 8 * row : 8 * row + 8, 8 * column : 8 * column + 8]
        assert found[1, 8 * row + column] == pytest.approx(cell.mean() / 255, rel=1e-5)


@pytest.mark.parametrize(
    ("events", "level", "speaks"),
    [("motion", "picture", True), ("picture", "motion", True), ("picture", "picture", False)],
)
def test_a_head_speaks_for_events_or_for_levels(events, level, speaks):
    assert known_head(events=events, level=level).speaks is speaks


def same(one, other):
    left, right = head_to_file(one), head_to_file(other)
    return left[0] == right[0] and all(
        np.array_equal(left[1][name], right[1][name]) for name in left[1] | right[1]
    )


@pytest.mark.parametrize("hidden_units", [0, HIDDEN_UNITS])
def test_a_brain_s_file_keeps_the_head_to_the_bit(tmp_path, small, hidden_units):
    brain, path = Brain.untrained(small()), tmp_path / "brain.safetensors"
    brain.motion_head = random_head(hidden_units)
    save_brain(brain, path)
    loaded = load_brain(path).motion_head
    assert same(loaded, brain.motion_head)
    motion = changes(np.random.default_rng(1).exponential(2, 30))
    (before,), (after,) = predict(brain.motion_head, motion), predict(loaded, motion)
    np.testing.assert_array_equal(after.strength, before.strength)
    np.testing.assert_array_equal(after.level_db, before.level_db)
    np.testing.assert_array_equal(after.bed_db, before.bed_db)


def test_a_brain_without_a_head_has_none(tmp_path, small):
    assert head_to_file(None) == (None, {})
    assert head_from_file(None, {}) is None
    save_brain(Brain.untrained(small()), tmp_path / "brain.safetensors")
    assert load_brain(tmp_path / "brain.safetensors").motion_head is None


SPOILT_TENSORS = {
    "missing": lambda tensor: None,
    "single precision": lambda tensor: tensor.astype(np.float32),
    "too few": lambda tensor: np.ascontiguousarray(tensor[..., :-1]),
    "too deep": lambda tensor: tensor[None],
    "not finite": lambda tensor: np.full_like(tensor, np.nan),
    "infinite": lambda tensor: np.full_like(tensor, np.inf),
    "huge": lambda tensor: np.full_like(tensor, 1e7),
}


@pytest.fixture
def stored(tmp_path, small):
    """Return a function that stores a head, spoilt by changes, and the error when it is loaded."""

    def load(tensors=None, description=None):
        brain, path = Brain.untrained(small()), tmp_path / "brain.safetensors"
        brain.motion_head = random_head(0)
        save_brain(brain, path)
        with safe_open(path, "np") as file:
            all_tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            table = json.loads(file.metadata()[METADATA_KEY])
        all_tensors |= tensors or {}
        all_tensors = {name: tensor for name, tensor in all_tensors.items() if tensor is not None}
        table["events"] = table["events"] | (description or {})
        save_file(all_tensors, path, {METADATA_KEY: json.dumps(table)})
        with pytest.raises(BrainError) as error:
            load_brain(path)
        message = str(error.value)
        assert message.startswith(str(path))
        assert "\n" not in message
        return message

    return load


@pytest.mark.parametrize("name", ["onset", "regressions", "quantiles"])
@pytest.mark.parametrize("spoil", SPOILT_TENSORS)
def test_spoilt_tensors_are_refused_in_one_line(stored, name, spoil):
    name = f"events.{name}"
    _, tensors = head_to_file(random_head(0))
    message = stored({name: SPOILT_TENSORS[spoil](tensors[name])})
    assert f"tensor {name} " in message
    assert message.endswith("; train it again")


@pytest.mark.parametrize(
    ("description", "said"),
    [
        ({"threshold": 0.0}, "events.threshold is 0.0"),
        ({"threshold": -1.0}, "events.threshold is -1.0"),
        ({"event_scale": 1e9}, "events.event_scale is"),
        ({"loud_level_db": 1e9}, "events.loud_level_db is"),
        ({"hidden_units": 7}, "events.hidden_units is 7"),
        ({"hidden_units": HIDDEN_UNITS}, "tensor events.onset is float64 (83,), expected"),
        ({"hidden_units": -1}, "events.hidden_units is -1"),
        ({"events": "neither"}, "Invalid enum value 'neither'"),
        ({"spectrum": "motion"}, "Invalid enum value 'motion'"),
        ({"onset_f": "much"}, "Expected `float`, got `str`"),
        ({"unknown": 1}, "unknown field"),
    ],
)
def test_spoilt_settings_are_refused_in_one_line(stored, description, said):
    assert said in stored(description=description)


def test_settings_that_lack_one_are_refused():
    description, tensors = head_to_file(random_head(0))
    del description["events"]
    with pytest.raises(msgspec.ValidationError, match="missing required field `events`"):
        head_from_file(description, tensors)


@pytest.mark.parametrize("part", ["event level", "bed", "level"])
def test_levels_that_no_film_has_are_refused(stored, part):
    _, tensors = head_to_file(random_head(0))
    regressions, quantiles = tensors["events.regressions"], tensors["events.quantiles"]
    if part == "event level":
        quantiles[1, -1] = 1e5
        assert "tensor events.quantiles has levels out of range" in stored(
            {"events.quantiles": quantiles}
        )
    else:
        regressions[1 if part == "bed" else 2, -1] = 1e5
        assert "tensor events.regressions has levels out of range" in stored(
            {"events.regressions": regressions}
        )


@pytest.mark.parametrize("row", [0, 1])
def test_quantiles_that_do_not_ascend_are_refused(stored, row):
    _, tensors = head_to_file(random_head(0))
    quantiles = tensors["events.quantiles"].copy()
    quantiles[row, [3, 4]] = quantiles[row, [4, 3]]
    assert "tensor events.quantiles " in stored({"events.quantiles": quantiles})


def test_a_lowest_level_above_the_highest_is_refused(stored):
    _, tensors = head_to_file(random_head(0))
    regressions = tensors["events.regressions"].copy()
    regressions[1, -2:] = regressions[1, :-3:-1]
    assert "tensor events.regressions has levels out of range" in stored(
        {"events.regressions": regressions}
    )
