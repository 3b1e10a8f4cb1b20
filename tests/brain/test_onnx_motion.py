"""Motion heads exported as ONNX say what they say here, frame by frame, within 1e-4."""

from __future__ import annotations

import json

import numpy as np
import onnx
import onnxruntime
import pytest

import frame2sound as f2s
from frame2sound.api.parameters import ParameterError
from frame2sound.brain.brain_file import load_brain
from frame2sound.brain.motion import MOTION_NUMBERS, USUAL_SCALE, Motion, MotionScale, MotionStream
from frame2sound.brain.onnx_export import METADATA_KEY
from frame2sound.brain.onnx_motion import build_motion_onnx
from frame2sound.brain.pretrained import pretrained_brains
from frame2sound.errors import BrainError
from tests.brain.motion_heads import known_head, random_head
from tests.commanding import run

FRAMES = 150
CURVES = "strength", "level_db", "bed_db"


@pytest.fixture(scope="module")
def falling():
    """Frames of a ball that bounces, and is held in the middle for longer than a gap."""
    rows, columns = np.mgrid[:64, :64]
    frames = []
    for index in range(FRAMES):
        at = min(index, 70) if index < 90 else index
        height = 8 + 46 * abs(np.sin(at / 7))
        near = np.hypot(rows - height, columns - 10 - 40 * at / FRAMES) < 5
        frames.append(np.uint8(220) * near)
    return np.stack(frames).astype(np.uint8)


def step_through(model, motion, scale, event_scale):
    """Return the curves of a model that is fed with its own state, and its metadata."""
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    metadata = json.loads(session.get_modelmeta().custom_metadata_map[METADATA_KEY])
    shapes = {each.name: each.shape for each in session.get_inputs()}
    state = {
        name: np.zeros(shapes[name], np.float32) if first == "zeros" else np.float32(first)
        for name, first in metadata["first_state"].items()
    }
    names, rows = [each.name for each in session.get_outputs()], []
    fixed = {"scale": np.float32(scale)[None], "event_scale": np.float32([event_scale])}
    for numbers, is_new in zip(motion.numbers, motion.is_new, strict=True):
        now = {"motion": numbers[None], "is_new": np.float32([is_new])}
        given = dict(zip(names, session.run(None, now | fixed | state), strict=True))
        state = {name: given[f"next_{name}"] for name in state}
        rows.append([float(given[name][0]) for name in (*CURVES, "onset")])
    return np.array(rows), metadata


def expected_curves(head, frames, motion, scale, event_scale):
    stream = head.start(30.0)
    if head.settings.events == "motion":
        stream.begin_events()
    curves = stream.predict(frames, motion, scale, event_scale)
    return np.stack([getattr(curves, name) for name in CURVES], axis=1)


HEADS = {
    "known": known_head,
    "for levels": lambda: known_head(events="picture"),
    "with random units": lambda: random_head(150),
    **{
        name: lambda path=path: load_brain(path).motion_head
        for name, path in pretrained_brains().items()
    },
}


@pytest.mark.parametrize("name", HEADS)
def test_a_step_says_what_the_motion_head_does(falling, name):
    head, motion, scale = HEADS[name](), MotionStream().process(falling), MotionScale()
    assert 0 < motion.is_new.sum() < FRAMES - 10
    scale.observe(motion)
    model = build_motion_onnx(head, "30", onnx).SerializeToString()
    got, metadata = step_through(model, motion, scale.values, 0.7)
    expected = expected_curves(head, falling, motion, scale.values, 0.7)
    np.testing.assert_allclose(got[:, :3], expected, atol=1e-4, rtol=1e-5)
    assert (expected[:, [0, 2]].std(axis=0) > 1e-3).all()
    np.testing.assert_allclose(
        got[:, 3], got[:, 0] * head.settings.threshold * 0.7, atol=1e-4, rtol=1e-5
    )
    assert metadata["motion"] == list(MOTION_NUMBERS)
    assert metadata["scale"] == USUAL_SCALE.tolist()
    assert metadata["event_scale"] == head.settings.event_scale


def test_levels_beyond_the_learned_ones_are_the_outermost():
    head, numbers = known_head(), np.zeros((6, len(MOTION_NUMBERS)), np.float32)
    numbers[:, 0] = [0, 1, 5, 20, 1e4, 3]
    motion = Motion(np.ones(6, np.bool_), np.ones(6), numbers)
    model = build_motion_onnx(head, "30", onnx).SerializeToString()
    got, _ = step_through(model, motion, np.ones(16), 1.0)
    expected = expected_curves(head, np.zeros((6, 64, 64), np.uint8), motion, np.ones(16), 1.0)
    np.testing.assert_allclose(got[:, 1], expected[:, 1], atol=1e-4)
    assert got[4, 1] == -10


def test_both_ways_write_the_same_file(tmp_path):
    f2s.export_onnx("sketchbook", tmp_path / "a.onnx", part="motion")
    said = run(tmp_path, "brains", "sketchbook", "--export-onnx-motion", "b.onnx")
    assert said.returncode == 0, said.stderr
    assert (tmp_path / "a.onnx").read_bytes() == (tmp_path / "b.onnx").read_bytes()
    with pytest.raises(BrainError, match=r"a\.onnx exists already"):
        f2s.export_onnx("sketchbook", tmp_path / "a.onnx", part="motion")
    brain = load_brain(pretrained_brains()["bells"])
    brain.motion_head = None
    with pytest.raises(BrainError, match="got a brain without a motion head"):
        f2s.export_onnx(brain, tmp_path / "c.onnx", part="motion")
    with pytest.raises(ParameterError, match="part"):
        f2s.export_onnx(brain, tmp_path / "c.onnx", part="body")
    assert not (tmp_path / "c.onnx").exists()
