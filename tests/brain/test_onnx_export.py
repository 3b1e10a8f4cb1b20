"""Brains exported as ONNX predict what they predict here, frame by frame, within 1e-4."""

from __future__ import annotations

import json

import numpy as np
import onnx
import onnxruntime
import pytest

import frame2sound as f2s
from frame2sound import extras
from frame2sound.brain.brain_file import load_brain
from frame2sound.brain.numpy_network import NumpyNetwork
from frame2sound.brain.onnx_export import METADATA_KEY, export_onnx
from frame2sound.brain.pretrained import pretrained_brains
from frame2sound.brain.recipe import parse_recipe
from frame2sound.errors import BrainError, MissingPackageError
from tests.brain.test_numpy_network import BRANCH, INPUTS, NETWORKS, random_brain
from tests.commanding import run

TARGETS = {
    "pcm": {"kind": "pcm", "lead_seconds": 0.008},
    "stft-real": {"kind": "stft-real"},
    "stft-mag": {"kind": "stft-mag", "window_length": 512, "windows_per_frame": 2},
    "stft-both": {"kind": "stft-both", "windows_per_frame": 4},
    "log-mag": {"kind": "log-mag", "window_length": 512, "windows_per_frame": 4},
    "mel": {"kind": "mel", "window_length": 512, "windows_per_frame": 4},
}
SMALL = {"input": INPUTS["eigenframes"], "network": NETWORKS["mlp"], "target": TARGETS["pcm"]}
CASES = {
    **{f"network: {name}": SMALL | {"network": each} for name, each in NETWORKS.items()},
    **{f"input: {name}": SMALL | {"input": each} for name, each in INPUTS.items()},
    **{f"target: {name}": SMALL | {"target": each} for name, each in TARGETS.items()},
    "brightness branch": BRANCH,
}


def films(brain, count=6):
    """Return frames of noise with sudden light, as the brain sees them."""
    random = np.random.default_rng(0)
    shape = (count, 64, 64, 3) if brain.colour else (count, 64, 64)
    frames = random.integers(0, 256, shape).astype(np.uint8)
    frames[2] //= 4
    return frames


def step_through(path, frames):
    """Return the outputs and the decoded predictions of a model, fed with its own state."""
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    metadata = json.loads(session.get_modelmeta().custom_metadata_map[METADATA_KEY])
    state = {}
    for each in session.get_inputs():
        first = metadata["first_state"].get(each.name)
        if first == "zeros":
            state[each.name] = np.zeros(each.shape, np.float32)
        elif first == "the first frame":
            state[each.name] = np.repeat(frames[:1], each.shape[0], 0)
        elif first is not None:
            state[each.name] = np.float32(first).reshape(each.shape)
    names = [each.name for each in session.get_outputs()]
    rows = []
    for frame in frames:
        given = dict(zip(names, session.run(None, {"frame": frame, **state}), strict=True))
        state = {name: given[f"next_{name}"] for name in state}
        rows.append((given["output"][0], given.get("prediction")))
    return np.stack([row[0] for row in rows]), [row[1] for row in rows], metadata


def assert_equal(brain, path, frames):
    outputs, predictions, metadata = step_through(path, frames)
    past = brain.recipe.input.past_frames
    network = NumpyNetwork(brain.recipe, brain.weights, brain.target.silence_value)
    expected, _ = network.predict(
        np.concatenate([np.repeat(frames[:1], past, 0), frames]), network.initial_state()
    )
    assert expected.std() > 1e-3
    np.testing.assert_allclose(outputs, expected, atol=1e-4, rtol=1e-4)
    if predictions[0] is not None:
        decoded = brain.target.decode(expected)
        got = np.stack(predictions).reshape(decoded.shape)
        np.testing.assert_allclose(got, decoded, atol=1e-4 * max(np.abs(decoded).max(), 1))
    return metadata, predictions


@pytest.mark.parametrize("name", CASES)
def test_a_step_predicts_what_the_brain_does(tmp_path, name):
    brain = random_brain(parse_recipe({"name": "x", **CASES[name]}))
    export_onnx(brain, tmp_path / "a.onnx")
    metadata, predictions = assert_equal(brain, tmp_path / "a.onnx", films(brain))
    assert metadata["sample_rate"] == 22050
    has_prediction = brain.recipe.target.__struct_config__.tag not in ("stft-real", "stft-both")
    assert (predictions[0] is not None) == has_prediction


@pytest.mark.parametrize("name", sorted(pretrained_brains()))
def test_the_brains_that_ship_can_be_exported(tmp_path, name):
    brain = load_brain(pretrained_brains()[name])
    export_onnx(brain, tmp_path / "a.onnx")
    assert_equal(brain, tmp_path / "a.onnx", films(brain, 3))


def test_both_ways_write_the_same_file(tmp_path):
    f2s.export_onnx("bells", tmp_path / "a.onnx")
    said = run(tmp_path, "brains", "bells", "--export-onnx", "b.onnx")
    assert said.returncode == 0, said.stderr
    assert (tmp_path / "a.onnx").read_bytes() == (tmp_path / "b.onnx").read_bytes()
    onnx.checker.check_model(onnx.load(tmp_path / "a.onnx"), full_check=True)
    with pytest.raises(BrainError, match=r"a\.onnx exists already"):
        f2s.export_onnx("bells", tmp_path / "a.onnx")
    said = run(tmp_path, "brains", "--export-onnx", "c.onnx")
    assert "got 0 brains, expected one" in said.stderr


def test_a_missing_package_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr(extras, "find_spec", lambda name: None)
    with pytest.raises(MissingPackageError, match=r'pip install "frame2sound\[onnx\]"'):
        f2s.export_onnx("bells", tmp_path / "a.onnx")
    assert list(tmp_path.iterdir()) == []
