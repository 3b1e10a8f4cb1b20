"""A brain predicts blocks for frames, and the smallest change makes its screens silent."""

import copy
from dataclasses import replace

import numpy as np
import pytest
import torch

from frame2sound.brain.brain import Brain
from frame2sound.brain.frame_encoding import pixels
from frame2sound.brain.numpy_network import Linear
from frame2sound.brain.screens import head_terms
from frame2sound.brain.silencing import hidden_for_screens
from frame2sound.brain.spectra import LEVEL_WEIGHT, LogMagnitudes
from frame2sound.errors import BrainError

FRAMES = np.random.default_rng(0).integers(0, 256, (5, 64, 64), np.uint8)
SCREENS = np.stack([np.zeros((64, 64), np.uint8), np.full((64, 64), 255, np.uint8)])
SPECKS = np.stack([np.zeros((64, 64), np.uint8), np.full((64, 64), 255, np.uint8)])
SPECKS[0, 30, 30], SPECKS[1, 30, 30] = 1, 254
FLOOR = 10 ** (-120 / 20)
PCM = {"kind": "pcm"}
SPECTRAL = [
    {"kind": kind, "window_length": 256} | more
    for kind, more in [
        ("stft-real", {}),
        ("stft-mag", {"windows_per_frame": 2}),
        ("stft-both", {}),
        ("log-mag", {}),
        ("mel", {"bands": 24}),
    ]
]


def kind_of(table):
    return table["kind"]


def loud(recipe, seed=0):
    """Return a brain with a large random head, for which every screen is loud."""
    brain = Brain.untrained(recipe, scale=0.1, seed=seed)
    generator = torch.Generator().manual_seed(seed)
    layer = brain.network.head
    torch.nn.init.normal_(layer.weight, 0, layer.in_features**-0.5, generator)
    torch.nn.init.normal_(layer.bias, 0, 0.3, generator)
    if isinstance(brain.target, LogMagnitudes):
        with torch.no_grad():
            for weights in (layer.weight, layer.bias):  # levels decide
                weights.unflatten(0, (-1, brain.target.numbers))[:, 0] *= 4 * LEVEL_WEIGHT
    if brain.network.features is not None:
        layer_input = np.concatenate([FRAMES, SCREENS])
        brain.network.features.fit(pixels(torch.from_numpy(layer_input)), seed)
    return brain


def linear(network):
    return [*(layer.linear for layer in network.backbone.layers), network.head]


@pytest.mark.parametrize("scaling", ["rms", "half"])
def test_blocks_equal_a_slow_reference(small, scaling):
    brain = loud(small(target={"kind": "pcm", "scaling": scaling, "lead_seconds": 0.002}))
    one, two, three = linear(brain.network)
    layer_input = FRAMES.reshape(5, -1) / 255
    for layer in (one, two):
        weight, bias = layer.weight.detach().double().numpy(), layer.bias.detach().double().numpy()
        layer_input = np.maximum(layer_input @ weight.T + bias, 0)
    output = layer_input @ three.weight.detach().double().numpy().T + three.bias.detach().numpy()
    expected = output * 0.1 if scaling == "rms" else output * 2 - 1
    blocks = brain.predict(FRAMES)
    assert blocks.dtype == np.float32
    assert (
        blocks.shape == (5, brain.target.lead + brain.clock.max_samples_per_frame) == (5, 16 + 267)
    )
    # Sums of 4096 products in single precision.
    np.testing.assert_allclose(blocks, expected, atol=1e-5)


def test_the_output_of_a_frame_does_not_depend_on_its_batch(small):
    brain = loud(small())
    together = brain.predict(FRAMES)
    alone = np.concatenate([brain.predict(FRAMES[i : i + 1]) for i in range(5)])
    # The order of a matrix product's sums may change with its size.
    np.testing.assert_allclose(alone, together, atol=1e-6)
    assert brain.predict(FRAMES[:0]).shape == (0, brain.target.length)


def test_the_parameter_count_leaves_out_fixed_features(small):
    brain = Brain.untrained(small())
    assert brain.parameter_count == (4096 + 1) * 8 + (8 + 1) * 6 + (6 + 1) * 267


def test_an_untrained_brain_is_quiet_and_depends_on_the_seed(small):
    one, again, other = (Brain.untrained(small(), 0.1, seed).predict(FRAMES) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, again)
    assert (one != other).any()
    assert np.sqrt(np.mean(one**2)) < 0.1


@pytest.mark.parametrize("target", [PCM, *SPECTRAL], ids=kind_of)
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_output_that_is_not_finite_is_an_error(small, target, value):
    brain = Brain.untrained(small(target=target))
    with torch.no_grad():
        brain.network.head.bias[3] = value
    with pytest.raises(BrainError, match=r"brain 'small' gives numbers that are not finite"):
        brain.predict(FRAMES)


@pytest.mark.parametrize("scaling", ["rms", "half"])
@pytest.mark.parametrize("activation", ["relu", "logistic"])
@pytest.mark.parametrize("hidden", [[8], [1000], [64, 1000], []], ids=str)
def test_silenced_screens_are_silent_exactly(small, scaling, hidden, activation):
    network = {"kind": "mlp", "hidden": hidden, "activation": activation}
    brain = loud(small(network=network, target={"kind": "pcm", "scaling": scaling}))
    assert np.abs(brain.predict(SCREENS)).max(axis=1).min() > 0.01
    brain.silence_screens()
    assert not brain.predict(SCREENS).any()
    assert np.abs(brain.predict(FRAMES)).max() > 0.001
    # An almost black frame gives almost silence: only rounding is removed.
    assert np.abs(brain.predict(SPECKS)).max() < 0.01


@pytest.mark.parametrize("hidden", [[8], [1000], []], ids=str)
def test_silencing_is_exact_up_to_rounding(small, hidden):
    brain = loud(small(network={"kind": "mlp", "hidden": hidden}))
    brain.silence_screens()
    top, layer_input = brain.network.head, hidden_for_screens(brain.network, brain.recipe.input)
    with torch.no_grad():
        actual = top(layer_input).abs().numpy()
    terms = head_terms(Linear(brain.weights, "head"), layer_input.numpy())
    # So many products and sums, each rounded to 24 bits, and weights that are, too: were errors
    # drawn by chance, they would add up to the root of that many; eight times that is never seen.
    assert (actual <= 8 * top.in_features**0.5 * 2**-24 * terms).all()


def test_screens_that_are_not_silent_stay_as_they_are(small):
    brain = loud(small())
    brain.silence_screens()
    with torch.no_grad():
        brain.network.head.bias[5] += 0.001
    assert np.abs(brain.predict(SCREENS))[:, 5] == pytest.approx(0.0001, rel=0.02)


def test_a_screen_is_silent_once_all_past_frames_show_it(small):
    brain = loud(small(input={"kind": "pixels", "history": 2}))
    brain.silence_screens()
    frames = np.concatenate([SCREENS[[0, 0, 0, 0, 1, 1, 1, 1]], FRAMES[:1], SCREENS[[1, 1, 1, 0]]])
    audible = np.abs(brain.predict(frames)).max(1) > 0
    assert audible.tolist() == [*[False] * 4, True, True, False, False, *[True] * 3, False, True]


@pytest.mark.parametrize("scaling", ["rms", "half"])
def test_silencing_is_the_smallest_change(small, scaling):
    brain = loud(small(target={"kind": "pcm", "scaling": scaling}))
    before = copy.deepcopy(brain.network)
    brain.silence_screens()
    with torch.no_grad():
        screens = torch.stack([torch.zeros(4096), torch.ones(4096)])
        layer_input = before.hidden(screens[:, None])[:, 0].double().numpy()
    layer_input = np.concatenate([layer_input, np.ones((2, 1))], axis=1)

    def weights(network):
        return torch.cat([network.head.weight.T, network.head.bias[None]]).detach().double().numpy()

    silent = 0.0 if scaling == "rms" else 0.5
    # For too few equations lstsq gives the solution of least norm.
    change = np.linalg.lstsq(layer_input, silent - layer_input @ weights(before), rcond=None)[0]
    # Weights of about 1 are kept in single precision.
    np.testing.assert_allclose(weights(brain.network) - weights(before), change, atol=5e-7)
    for old, new in zip(
        before.backbone.parameters(), brain.network.backbone.parameters(), strict=True
    ):
        assert torch.equal(old, new)


def test_silencing_again_changes_nothing(small):
    brain = loud(small())
    brain.silence_screens()
    before = brain.predict(FRAMES)
    brain.silence_screens()
    np.testing.assert_allclose(brain.predict(FRAMES), before, atol=1e-6)


def test_screens_with_equal_features_are_silenced_too(small):
    brain = loud(small())
    with torch.no_grad():
        brain.network.backbone.layers[0].linear.weight.zero_()
    brain.silence_screens()
    assert not brain.predict(SCREENS).any()


@pytest.mark.parametrize("input_kind", ["pixels", "fft2", "eigenframes"])
@pytest.mark.parametrize("target", [PCM, *SPECTRAL], ids=kind_of)
def test_screens_are_silent_for_every_target_and_input(small, target, input_kind):
    brain = loud(small(target=target, input={"kind": input_kind}))
    brain.target = replace(brain.target, scale=1.0)
    assert np.abs(brain.predict(SCREENS)).max() > 50 * FLOOR
    brain.silence_screens()
    assert not brain.predict(SCREENS).any()
    assert np.abs(brain.predict(FRAMES)).max() > 50 * FLOOR


@pytest.mark.parametrize("target", SPECTRAL, ids=kind_of)
def test_spectra_equal_a_slow_reference(small, target):
    brain = loud(small(target=target, input={"kind": "fft2"}))
    spectra = np.fft.rfft2(FRAMES / 255, norm="ortho")
    spectra[:, 0, 0] /= 64
    layer_input = np.concatenate([spectra.real.reshape(5, -1), spectra.imag.reshape(5, -1)], 1)
    one, two, three = linear(brain.network)
    for layer in (one, two, three):
        weight, bias = (x.detach().double().numpy() for x in (layer.weight, layer.bias))
        layer_input = layer_input @ weight.T + bias
        layer_input = layer_input if layer is three else np.maximum(layer_input, 0)
    expected = brain.target.decode(torch.tensor(layer_input).float())
    # Sums of 4224 products in single precision, and decades that are tens.
    np.testing.assert_allclose(brain.predict(FRAMES), expected, rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("target", SPECTRAL, ids=kind_of)
def test_huge_outputs_decode_to_finite_values(small, target):
    brain = Brain.untrained(small(target=target))
    with torch.no_grad():
        brain.network.head.bias.fill_(1e6)
    assert np.isfinite(brain.predict(FRAMES)).all()
    assert brain.predict(FRAMES[:0]).shape[0] == 0
