"""Features and first layer are fused into one layer on pixels with the same output."""

import numpy as np
import pytest
import torch

from frame2sound.brain.brain import Brain
from frame2sound.brain.frame_encoding import encode_frames, input_size
from frame2sound.brain.fuse import export_weights, fuse_layers
from frame2sound.errors import BrainError

INPUTS = [
    {"kind": "pixels", "history": 1},
    {"kind": "fft2"},
    {"kind": "eigenframes", "count": 5, "profiles": False},
    {"kind": "eigenframes", "count": 5, "profiles": False, "of": "fft2"},
    {"kind": "eigenframes", "count": 5, "profiles": False, "history": 2, "motion": True},
    {"kind": "eigenframes", "count": 5, "profiles": False, "motion": True, "colour": True},
]


def fitted_brain(recipe):
    """Return a brain whose features were fitted to noise, and its encoded frames."""
    brain, inputs = Brain.untrained(recipe), recipe.input
    shape = (30, 1 + inputs.past_frames, 64, 64, *([3] if inputs.colour else []))
    noise = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    entering = encode_frames(torch.from_numpy(noise), inputs)
    if brain.network.features is not None:
        brain.network.features.fit(entering, 0)
    return brain, entering


@pytest.mark.parametrize("inputs", INPUTS, ids=str)
def test_fused_layers_equal_the_network(small, inputs):
    brain, entering = fitted_brain(small(input=inputs))
    with torch.no_grad():
        expected = brain.network(brain.network.extract_features(entering)[:, None], ())[0][:, 0]
    values, layers = entering.double().numpy(), fuse_layers(brain)
    assert layers[0].weight.shape == (8, input_size(brain.recipe.input))
    for number, layer in enumerate(layers):
        values = values @ layer.weight.T.astype(np.float64) + layer.bias
        values = values if number == len(layers) - 1 else np.maximum(values, 0)
    # Weights of single precision, on thousands of pixels.
    np.testing.assert_allclose(values, expected, atol=1e-4)


def test_fused_layers_are_written(small, tmp_path):
    brain, _ = fitted_brain(small(input=INPUTS[2]))
    layers = export_weights(brain, tmp_path / "plain.npz")
    with np.load(tmp_path / "plain.npz", allow_pickle=False) as written:
        for number, layer in enumerate(layers):
            np.testing.assert_array_equal(written[f"weight_{number}"], layer.weight)
            np.testing.assert_array_equal(written[f"bias_{number}"], layer.bias)
        assert written["scale"] == brain.target.scale
    with pytest.raises(BrainError, match="exists already"):
        export_weights(brain, tmp_path / "plain.npz")


@pytest.mark.parametrize(
    ("parts", "remedy"),
    [
        ({"network": {"kind": "rnn", "hidden": [4]}}, "network.kind=mlp"),
        ({"network": {"kind": "mlp", "hidden": [4], "normalise": True}}, "normalise=false"),
        ({"network": {"kind": "mlp", "hidden": [4, 4], "residual": True}}, "residual=false"),
        ({"input": {"kind": "eigenframes", "count": 5}}, "input.profiles=false"),
    ],
    ids=str,
)
def test_a_brain_that_cannot_be_fused_is_refused_with_a_remedy(small, parts, remedy):
    with pytest.raises(BrainError, match=f"does not consist of plain layers on pixels.*{remedy}"):
        fuse_layers(Brain.untrained(small(**parts)))
