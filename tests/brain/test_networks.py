"""Networks have the layers of their recipe, and initial weights as in the literature."""

import math
from itertools import pairwise

import pytest
import torch
from torch import nn

from frame2sound.brain.config import Eigenframes, LogMag, Mlp, Rnn, Tcn
from frame2sound.brain.frame_encoding import BRIGHTNESS_COUNT, PROFILE_COUNT
from frame2sound.brain.networks import (
    TeacherForcing,
    build_network,
    get_brightness_branch,
    initialise,
)
from frame2sound.brain.recipe import Recipe

ACTIVATIONS = {"relu": nn.ReLU, "logistic": nn.Sigmoid, "tanh": nn.Tanh}


def recipe(hidden, activation="relu"):
    return Recipe(name="small", network=Mlp(hidden, activation))


def linear(network):
    """Return the linear layers, first to last."""
    return [*(layer.linear for layer in network.backbone.layers), network.head]


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("hidden", [(), (5,), (5, 4, 3)])
def test_layers_are_as_the_recipe_says(activation, hidden):
    network = build_network(recipe(hidden, activation), 7, 2)
    widths = [7, *hidden, 2]
    sizes = [(x.in_features, x.out_features) for x in linear(network)]
    assert sizes == list(pairwise(widths))
    found = [type(layer.activation) for layer in network.backbone.layers]
    assert found == [ACTIVATIONS[activation]] * len(hidden)
    assert network(torch.zeros(3, 1, 7), ())[0].shape == (3, 1, 2)
    assert not network.is_recurrent


@pytest.mark.parametrize(
    ("activation", "deviation"),
    [("relu", math.sqrt(2 / 800)), ("tanh", math.sqrt(2 / (800 + 600)))],
)
def test_initial_weights_have_the_variance_of_the_papers(activation, deviation):
    network = build_network(recipe((600,), activation), 800, 400)
    initialise(network, seed=0)
    first, top = linear(network)
    # The deviation of 480 000 draws strays by 1 / sqrt(2 * 480 000), or 0.1 %; five times that.
    assert first.weight.std().item() == pytest.approx(deviation, rel=5e-3)
    last = 0.1 * math.sqrt(2 / (600 + 400))
    assert top.weight.std().item() == pytest.approx(last, rel=8e-3)
    assert not first.bias.any()
    assert not top.bias.any()


@pytest.mark.parametrize("cell", ["gru", "lstm"])
def test_initial_recurrent_weights_are_orthogonal(cell):
    network = build_network(Recipe(name="small", network=Rnn((8,), memory=(6, 4), cell=cell)), 7, 2)
    initialise(network, seed=0)
    gates = 3 if cell == "gru" else 4
    for layer, (before, width) in zip(network.backbone.cells, [(8, 6), (6, 4)], strict=True):
        assert layer.weight_ih_l0.shape == (gates * width, before)
        for gate in layer.weight_hh_l0.chunk(gates):
            torch.testing.assert_close(gate @ gate.T, torch.eye(width))
        bias = layer.bias_ih_l0.reshape(gates, width)
        # Only the forget gate of long short-term memory, the second gate, is open.
        expected = torch.zeros(gates, width)
        expected[1] = cell == "lstm"
        assert torch.equal(bias, expected)
        assert not layer.bias_hh_l0.any()


KINDS = [
    Mlp((5,)),
    Rnn((5,), feedback_units=3),
    Rnn((5,), cell="lstm"),
    Tcn((5,), channels=4, layers=2),
]


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_the_seed_determines_the_weights(kind):
    def weights(seed):
        network = build_network(Recipe(name="small", network=kind), 7, 2)
        torch.manual_seed(99)  # of no influence
        initialise(network, seed)
        return list(network.parameters())

    assert all(map(torch.equal, weights(1), weights(1)))
    assert not any(map(torch.equal, weights(1)[:1], weights(2)[:1]))


def test_features_come_first_and_are_not_trained():
    config = Recipe(name="eigen", network=Mlp((5,)), input=Eigenframes(count=3))
    network = build_network(config, 4096, 2)
    sizes = [(x.in_features, x.out_features) for x in linear(network)]
    assert sizes == [(3 + PROFILE_COUNT, 5), (5, 2)]
    learned = [name for name, weights in network.named_parameters() if weights.requires_grad]
    first = "backbone.layers.0.linear"
    assert learned == [f"{first}.weight", f"{first}.bias", "head.weight", "head.bias"]
    before = [weights.clone() for weights in network.features.parameters()]
    initialise(network, seed=0)
    assert all(map(torch.equal, before, network.features.parameters()))
    assert build_network(recipe((5,)), 7, 2).features is None


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_every_network_may_have_a_brightness_branch(kind):
    network = type(kind)(**{name: getattr(kind, name) for name in kind.__struct_fields__}
                         | {"brightness_branch": 6})  # fmt: skip
    config = Recipe(name="x", network=network, input=Eigenframes(count=3), target=LogMag())
    built = build_network(config, 4096, 2)
    initialise(built, seed=0)
    assert built.features.width == 3 + PROFILE_COUNT + BRIGHTNESS_COUNT
    frame_features = torch.rand(2, 4, built.features.width)
    actual, _ = built(frame_features, built.initial_state(2))
    frame_features[..., -BRIGHTNESS_COUNT:] += 1
    # It is silent until it is trained.
    assert torch.equal(built(frame_features, built.initial_state(2))[0], actual)
    assert not any(weights.requires_grad for weights in get_brightness_branch(built).parameters())
    assert built.backbone.width == built.head.in_features == built.backbone.backbone.width + 6


@pytest.mark.parametrize("normalise", [False, True])
@pytest.mark.parametrize("dropout", [0.0, 0.3])
def test_the_order_is_norm_activation_dropout(normalise, dropout):
    config = Recipe(name="small", network=Mlp((5, 4), "tanh", normalise, dropout))
    network = build_network(config, 7, 2)
    initialise(network, seed=0)
    assert len(network.backbone.layers) == 2
    inputs = torch.randn(1000, 7)
    for layer in network.backbone.layers:
        assert isinstance(layer.norm, nn.LayerNorm) == normalise
        torch.manual_seed(0)
        actual = layer(inputs)
        torch.manual_seed(0)
        expected = nn.functional.linear(inputs, layer.linear.weight, layer.linear.bias)
        if normalise:
            expected = nn.functional.layer_norm(expected, expected.shape[1:])
        expected = layer.dropout(torch.tanh(expected))
        torch.testing.assert_close(actual, expected)
        assert (actual == 0).float().mean().item() == pytest.approx(dropout, abs=0.05)
        inputs = actual


@pytest.mark.parametrize(
    ("activation", "deviation"),
    [("relu", math.sqrt(2 / 800)), ("logistic", math.sqrt(2 / (800 + 600)))],
)
def test_norm_and_dropout_do_not_change_the_initial_weights(activation, deviation):
    config = Recipe(name="small", network=Mlp((600,), activation, True, 0.1))
    network = build_network(config, 800, 400)
    initialise(network, seed=0)
    (layer,) = network.backbone.layers
    # As above.
    assert layer.linear.weight.std().item() == pytest.approx(deviation, rel=5e-3)
    assert network.head.weight.std().item() == pytest.approx(0.1 * math.sqrt(2 / 1000), rel=8e-3)
    assert not network.head.bias.any()
    assert (layer.norm.weight == 1).all()
    assert not layer.norm.bias.any()


def test_layer_norm_removes_contrast():
    network = build_network(Recipe(name="small", network=Mlp((50,), normalise=True)), 7, 2)
    initialise(network, seed=0)
    inputs = torch.randn(3, 1, 7, generator=torch.Generator().manual_seed(0))
    # The norm adds 1e-5 to each variance, which is about 2 here.
    torch.testing.assert_close(
        network(100 * inputs, ())[0], network(inputs, ())[0], rtol=1e-3, atol=1e-4
    )


def feedback_network(outputs=3, silent=0.5, **more):
    """Return a network with feedback, with weights large enough for it to matter."""
    kind = Rnn((8,), memory=(6,), feedback_units=4, **more)
    network = build_network(Recipe(name="small", network=kind), 7, outputs, silent)
    initialise(network, seed=0)
    nn.init.normal_(network.head.weight, generator=torch.Generator().manual_seed(1))
    return network


FEATURES = torch.randn(2, 9, 7, generator=torch.Generator().manual_seed(2))
TARGETS = torch.randn(2, 9, 3, generator=torch.Generator().manual_seed(3))


@pytest.mark.parametrize("cell", ["gru", "lstm"])
def test_feedback_equals_a_slow_loop(cell):
    network = feedback_network(cell=cell)
    actual, memory = network(FEATURES, network.initial_state(2))
    fed_back, state = torch.full((2, 3), 0.5), network.backbone.initial_state(2)
    for at in range(9):
        enters = torch.cat([network.feedback(fed_back), FEATURES[:, at]], 1)
        hidden, state = network.backbone(enters[:, None], state)
        fed_back = network.head(hidden)[:, 0]
        torch.testing.assert_close(actual[:, at], fed_back)
    torch.testing.assert_close(memory, (network.feedback(fed_back), *state))


def test_teacher_forcing_feeds_back_targets():
    network = feedback_network()
    forcing = TeacherForcing(TARGETS, torch.zeros(2, 9, dtype=torch.bool))
    actual, memory = network(FEATURES, network.initial_state(2), forcing)
    torch.testing.assert_close(memory[0], network.feedback(TARGETS[:, -1]))
    # The output depends on the head; the feedback does not.
    before = network.head.bias.clone()
    with torch.no_grad():
        network.head.bias += 10
    louder, _ = network(FEATURES, network.initial_state(2), forcing)
    torch.testing.assert_close(louder - actual, torch.full_like(actual, 10.0), rtol=1e-4, atol=1e-4)
    alone, _ = network(FEATURES, network.initial_state(2))
    with torch.no_grad():
        network.head.bias.copy_(before)
    assert (alone - network(FEATURES, network.initial_state(2))[0] - 10).abs().max() > 0.1


def test_teacher_forcing_feeds_back_own_output_where_asked():
    network = feedback_network()
    plain, _ = network(FEATURES, network.initial_state(2))
    every = TeacherForcing(TARGETS, torch.ones(2, 9, dtype=torch.bool))
    torch.testing.assert_close(network(FEATURES, network.initial_state(2), every)[0], plain)
    own = torch.ones(2, 9, dtype=torch.bool)
    own[0, 4] = False
    actual, _ = network(FEATURES, network.initial_state(2), TeacherForcing(TARGETS, own))
    differs = (actual != plain).any(2)
    assert differs.nonzero().tolist()[0] == [0, 5]  # it is told only after it has given
    assert not differs[1].any()


def test_no_gradient_flows_through_the_feedback():
    network = feedback_network()
    memory = network.initial_state(2)
    frame_features = FEATURES.clone().requires_grad_()
    with torch.no_grad():
        for layer in network.backbone.cells:  # nothing is remembered but by ear
            for weights in layer.parameters():
                weights.zero_()
    network(frame_features, memory)[0][:, 5].sum().backward()
    moved = frame_features.grad.abs().sum((0, 2)) > 0
    assert moved.tolist() == [at == 5 for at in range(9)]


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_the_state_is_reset_where_a_stream_begins(kind):
    network = build_network(Recipe(name="small", network=kind), 7, 3, silence_value=0.5)
    initialise(network, seed=0)
    _, memory = network(FEATURES, network.initial_state(2))
    copies = [part.clone() for part in memory]
    reset = network.reset_state(memory, torch.tensor([False, True]))
    assert len(reset) == len(network.initial_state(2))
    for part, old, fresh in zip(reset, copies, network.initial_state(2), strict=True):
        assert torch.equal(part[0], old[0])
        assert torch.equal(part[1], fresh[1])
    assert all(map(torch.equal, memory, copies))
    actual, _ = network(FEATURES, reset)
    alone, _ = network(FEATURES[1:], network.initial_state(1))
    torch.testing.assert_close(actual[1:], alone)
    assert network.is_recurrent == (not isinstance(kind, Mlp))
    if network.is_recurrent:
        assert not torch.allclose(actual[:1], network(FEATURES[:1], network.initial_state(1))[0])


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_hidden_values_are_the_input_of_the_head(kind):
    network = build_network(Recipe(name="small", network=kind), 7, 3)
    initialise(network, seed=0)
    forcing = TeacherForcing(torch.zeros(2, 9, 3), torch.zeros(2, 9, dtype=torch.bool))
    actual, _ = network(FEATURES, network.initial_state(2), forcing if network.feedback else None)
    torch.testing.assert_close(network.head(network.hidden(FEATURES)), actual)
