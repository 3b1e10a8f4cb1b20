"""NumPy's networks predict what PyTorch's do, and know the shapes of their weights."""

import msgspec
import numpy as np
import pytest
import torch

from frame2sound.api import brains
from frame2sound.brain.brain import Brain
from frame2sound.brain.brain_file import load_brain
from frame2sound.brain.frame_encoding import encode_frames
from frame2sound.brain.networks import AcceleratedNetwork, Network
from frame2sound.brain.numpy_network import NumpyNetwork
from frame2sound.brain.pretrained import pretrained_brains
from frame2sound.brain.recipe import load_recipe, recipe_names
from frame2sound.brain.weights import weight_shapes

MLP = {"kind": "mlp", "hidden": [9, 9]}
RNN = {"kind": "rnn", "hidden": [9], "memory": [7, 5]}
TCN = {"kind": "tcn", "hidden": [9], "channels": 6, "kernel": 3, "layers": 3}
NETWORKS = {
    "mlp": MLP,
    "mlp without layers": MLP | {"hidden": []},
    "mlp, residual and normalised": MLP | {"residual": True, "normalise": True},
    "mlp, logistic": MLP | {"activation": "logistic"},
    "mlp, tanh": MLP | {"activation": "tanh"},
    "gru": RNN,
    "lstm": RNN | {"cell": "lstm"},
    "gru with feedback": RNN | {"feedback_units": 4},
    "lstm with feedback": RNN | {"cell": "lstm", "feedback_units": 4, "normalise": True},
    "tcn": TCN,
    "tcn, five taps": TCN | {"kernel": 5, "activation": "tanh", "hidden": []},
}
EIGENFRAMES = {"kind": "eigenframes", "count": 5}
INPUTS = {
    "pixels": {"kind": "pixels"},
    "pixels, history, motion": {"kind": "pixels", "history": 2, "motion": True},
    "pixels, colour": {"kind": "pixels", "colour": True},
    "fft2": {"kind": "fft2", "history": 1},
    "eigenframes": EIGENFRAMES | {"history": 2, "motion": True},
    "eigenframes, colour": EIGENFRAMES | {"colour": True, "motion": True},
    "eigenframes of fft2": EIGENFRAMES | {"of": "fft2", "profiles": False},
}
BRANCH = {
    "network": RNN | {"brightness_branch": 4},
    "input": EIGENFRAMES | {"motion": True},
    "target": {"kind": "log-mag", "window_length": 256},
}


def random_brain(recipe):
    """Return a brain all of whose weights are random, and matter."""
    brain = Brain.untrained(recipe)
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for name, tensor in brain.network.state_dict().items():
            width = tensor[0].numel() if tensor.ndim > 1 else 9
            tensor.normal_(0, width**-0.5, generator=generator)
            if "norm.weight" in name or name.endswith("gain"):
                tensor.add_(1)
    return brain


def frames_of(brain, count=13):
    shape = (count, 64, 64, *([3] if brain.colour else []))
    return np.random.default_rng(0).integers(0, 256, shape, np.uint8)


def predict_with_torch(brain, frames):
    """Return the outputs of PyTorch's network for windows of frames, the first one repeated."""
    at, past = np.arange(len(frames)), brain.recipe.input.past_frames
    windows = np.stack([frames[np.maximum(at - back, 0)] for back in range(past, -1, -1)], 1)
    network = brain.network
    with torch.inference_mode():
        inputs = encode_frames(torch.from_numpy(windows), brain.recipe.input)
        features = network.extract_features(inputs)
        outputs, _ = network(features[None], network.initial_state(1))
    return outputs[0].numpy()


def predict_with_numpy(brain, frames, chunks):
    """Return the outputs of NumPy's network for frames in chunks of some lengths."""
    network = NumpyNetwork(brain.recipe, brain.weights, brain.target.silence_value)
    return predict_chunks(network, brain, frames, chunks)


def predict_chunks(network, brain, frames, chunks):
    past, state = brain.recipe.input.past_frames, network.initial_state()
    sequence = np.concatenate([np.repeat(frames[:1], past, 0), frames])
    outputs, begin = [], 0
    for length in chunks:
        output, state = network.predict(sequence[begin : begin + length + past], state)
        outputs.append(output)
        begin += length
    assert begin == len(frames)
    return np.concatenate(outputs)


def assert_equal_up_to_rounding(actual, expected):
    """Sums of 12 000 products in single precision are off by about 1e-5 of their terms."""
    assert actual.dtype == np.float32
    np.testing.assert_allclose(actual, expected, rtol=0, atol=2e-5 * np.abs(expected).max())


@pytest.mark.parametrize("inputs", INPUTS)
@pytest.mark.parametrize("network", NETWORKS)
def test_numpy_predicts_what_pytorch_predicts(small, network, inputs):
    brain = random_brain(small(network=NETWORKS[network], input=INPUTS[inputs]))
    frames = frames_of(brain)
    expected = predict_with_torch(brain, frames)
    assert expected.std(0).mean() > 1e-3
    for chunks in ([13], [1, 1, 4, 7]):
        assert_equal_up_to_rounding(predict_with_numpy(brain, frames, chunks), expected)


def test_a_brightness_branch_predicts_what_pytorch_predicts(small):
    brain = random_brain(small(**BRANCH))
    frames = frames_of(brain)
    expected = predict_with_torch(brain, frames)
    assert_equal_up_to_rounding(predict_with_numpy(brain, frames, [5, 8]), expected)
    branch = brain.network.backbone.brightness_branch[0].weight
    with torch.no_grad():
        branch.neg_()
    assert np.abs(predict_with_numpy(brain, frames, [13]) - expected).max() > 1e-3


@pytest.mark.parametrize("name", pretrained_brains())
def test_the_brains_that_ship_predict_what_pytorch_predicts(name):
    brain = load_brain(pretrained_brains()[name])
    frames = np.zeros((40, 64, 64), np.uint8)
    for number, frame in enumerate(frames):
        frame[number : number + 9, 20:30] = 200
    actual = predict_with_numpy(brain, frames, [30, 10])
    assert_equal_up_to_rounding(actual, predict_with_torch(brain, frames))


def shapes_of(recipe):
    brain = Brain.untrained(recipe)
    built = [(name, tuple(tensor.shape)) for name, tensor in brain.network.state_dict().items()]
    return built, list(weight_shapes(recipe, brain.target.length).items())


@pytest.mark.parametrize("inputs", INPUTS)
@pytest.mark.parametrize("network", NETWORKS)
def test_weights_have_the_names_and_shapes_of_pytorch_s(small, network, inputs):
    built, known = shapes_of(small(network=NETWORKS[network], input=INPUTS[inputs]))
    assert known == built


@pytest.mark.parametrize("name", recipe_names())
def test_weights_of_recipes_have_the_names_and_shapes_of_pytorch_s(name):
    recipe = load_recipe(name)
    hidden = tuple(min(width, 9) for width in recipe.network.hidden)
    recipe = msgspec.structs.replace(
        recipe, network=msgspec.structs.replace(recipe.network, hidden=hidden)
    )
    built, known = shapes_of(recipe)
    assert known == built


@pytest.mark.parametrize("network", ["mlp", "gru", "tcn"])
def test_numpy_computes_with_the_weights_that_the_module_has_now(small, network):
    brain = random_brain(small(network=NETWORKS[network]))
    before = brain.predict(frames_of(brain))
    with torch.no_grad():
        brain.network.head.bias.add_(1)
    after = brain.predict(frames_of(brain))
    np.testing.assert_allclose(after - before, brain.target.scale, rtol=1e-4)


def test_a_loaded_brain_has_a_module_with_its_weights(tmp_path, small):
    path = pretrained_brains()["sketchbook"]
    brain = load_brain(path)
    weights = brain.weights
    module = brain.network
    assert not module.training
    assert brain.network is module
    assert list(weights) == list(module.state_dict())
    for name, tensor in module.state_dict().items():
        np.testing.assert_array_equal(tensor.numpy(), weights[name])
    assert brain.parameter_count == sum(
        tensor.numel() for name, tensor in module.named_parameters() if "features." not in name
    )


@pytest.mark.parametrize("network", ["mlp", "lstm with feedback", "tcn"])
def test_what_runs_on_accelerators_predicts_the_same(small, network):
    brain = random_brain(small(network=NETWORKS[network], input=INPUTS["eigenframes"]))
    frames = frames_of(brain)
    accelerated = AcceleratedNetwork(brain.network, brain.recipe.input)
    actual = predict_chunks(accelerated, brain, frames, [1, 5, 7])
    assert_equal_up_to_rounding(actual, predict_with_numpy(brain, frames, [13]))


@pytest.mark.parametrize(
    ("device", "limit", "has_module"),
    [("cpu", 0, False), ("auto", 10**9, False), ("auto", 1000, True)],
)
def test_only_large_networks_look_for_an_accelerator(monkeypatch, device, limit, has_module):
    monkeypatch.setattr(brains, "SMALL_NETWORK", limit)
    brain = brains.load_brain("sketchbook", device)
    assert isinstance(brain.model, Network) is has_module
