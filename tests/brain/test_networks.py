"""Networks have the layers asked for and begin as the papers advise."""

import math
from itertools import pairwise

import pytest
import torch
from torch import nn

from frame2sound.brain.ingredients import Eigenframes, Mlp
from frame2sound.brain.inputs import PROFILES
from frame2sound.brain.networks import build_network, eyes_of, initialise, last_layer
from frame2sound.brain.recipe import Recipe

ACTIVATIONS = {"relu": nn.ReLU, "logistic": nn.Sigmoid, "tanh": nn.Tanh}


def recipe(hidden, activation="relu"):
    return Recipe(name="small", network=Mlp(hidden, activation))


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("hidden", [(), (5,), (5, 4, 3)])
def test_layers_are_as_the_recipe_says(activation, hidden):
    network = build_network(recipe(hidden, activation), 7, 2)
    widths = [7, *hidden, 2]
    linear = [layer for layer in network if isinstance(layer, nn.Linear)]
    assert [(x.in_features, x.out_features) for x in linear] == list(pairwise(widths))
    assert [type(layer) for layer in network[1::2]] == [ACTIVATIONS[activation]] * len(hidden)
    assert last_layer(network) is network[-1]
    assert network(torch.zeros(3, 7)).shape == (3, 2)


@pytest.mark.parametrize(
    ("activation", "deviation"),
    [("relu", math.sqrt(2 / 800)), ("tanh", math.sqrt(2 / (800 + 600)))],
)
def test_weights_begin_with_the_variance_of_the_papers(activation, deviation):
    network = build_network(recipe((600,), activation), 800, 400)
    initialise(network, seed=0)
    # The deviation of 480 000 draws strays by 1 / sqrt(2 * 480 000), or 0.1 %; five times that.
    assert network[0].weight.std().item() == pytest.approx(deviation, rel=5e-3)
    last = 0.1 * math.sqrt(2 / (600 + 400))
    assert network[-1].weight.std().item() == pytest.approx(last, rel=8e-3)
    assert not network[0].bias.any()
    assert not network[-1].bias.any()


def test_a_seed_is_a_network():
    def weights(seed):
        network = build_network(recipe((5,)), 7, 2)
        torch.manual_seed(99)  # of no influence
        initialise(network, seed)
        return network[0].weight

    assert torch.equal(weights(1), weights(1))
    assert not torch.equal(weights(1), weights(2))


def test_eyes_come_first_and_are_not_learned_by_descent():
    wanted = Recipe(name="eigen", network=Mlp((5,)), input=Eigenframes(count=3))
    network = build_network(wanted, 4096, 2)
    assert eyes_of(network) is network[0]
    linear = [layer for layer in network if isinstance(layer, nn.Linear)]
    assert [(x.in_features, x.out_features) for x in linear] == [(3 + PROFILES, 5), (5, 2)]
    learned = [name for name, weights in network.named_parameters() if weights.requires_grad]
    assert learned == ["1.weight", "1.bias", "3.weight", "3.bias"]
    before = [weights.clone() for weights in network[0].parameters()]
    initialise(network, seed=0)
    assert all(map(torch.equal, before, network[0].parameters()))
    assert eyes_of(build_network(recipe((5,)), 7, 2)) is None


@pytest.mark.parametrize("normalise", [False, True])
@pytest.mark.parametrize("dropout", [0.0, 0.3])
def test_norm_comes_before_and_dropout_after_what_activates(normalise, dropout):
    wanted = Recipe(name="small", network=Mlp((5, 4), "tanh", normalise, dropout))
    network = build_network(wanted, 7, 2)
    hidden = [nn.Linear, nn.LayerNorm, nn.Tanh, nn.Dropout]
    kept = [True, normalise, True, dropout > 0]
    expected = [kind for kind, there in zip(hidden, kept, strict=True) if there]
    assert [type(layer) for layer in network] == [*expected, *expected, nn.Linear]
    assert {layer.p for layer in network if isinstance(layer, nn.Dropout)} <= {dropout}
    assert last_layer(network) is network[-1]


@pytest.mark.parametrize(
    ("activation", "deviation"),
    [("relu", math.sqrt(2 / 800)), ("logistic", math.sqrt(2 / (800 + 600)))],
)
def test_norm_and_dropout_do_not_change_how_weights_begin(activation, deviation):
    wanted = Recipe(name="small", network=Mlp((600,), activation, True, 0.1))
    network = build_network(wanted, 800, 400)
    initialise(network, seed=0)
    # As above.
    assert network[0].weight.std().item() == pytest.approx(deviation, rel=5e-3)
    assert network[-1].weight.std().item() == pytest.approx(0.1 * math.sqrt(2 / 1000), rel=8e-3)
    assert not network[-1].bias.any()
    assert (network[1].weight == 1).all()
    assert not network[1].bias.any()


def test_a_normalised_network_is_deaf_to_contrast():
    network = build_network(Recipe(name="small", network=Mlp((50,), normalise=True)), 7, 2)
    initialise(network, seed=0)
    seen = torch.randn(3, 7, generator=torch.Generator().manual_seed(0))
    # The norm adds 1e-5 to each variance, which is about 2 here.
    torch.testing.assert_close(network(100 * seen), network(seen), rtol=1e-3, atol=1e-4)
