"""Backbones are causal, and their output does not depend on how a film is divided into chunks."""

import math
from functools import partial

import pytest
import torch

from frame2sound.brain.backbones import Convolutional, Dropout, Feedforward, Layer, Recurrent
from frame2sound.brain.config import Mlp, Rnn, Tcn
from frame2sound.brain.networks import build_network, initialise
from frame2sound.brain.recipe import Recipe

STREAMS, MOMENTS, WIDTH = 2, 23, 5
RECURRENT = [
    Rnn((6,), memory=(4,)),
    Rnn((), memory=(4, 3), cell="lstm"),
    Rnn((6,), memory=(4, 7), feedback_units=3),
    Tcn((6,), channels=4, kernel=2, layers=3),
    Tcn((), channels=3, kernel=4, layers=1),
]
every_kind = partial(pytest.mark.parametrize, "kind", ids=str)


def network_of(kind, outputs=3):
    network = build_network(Recipe(name="small", network=kind), WIDTH, outputs)
    initialise(network, seed=0)
    with torch.no_grad():
        network.head.weight.mul_(10)
    return network.eval()


def features(seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(STREAMS, MOMENTS, WIDTH, generator=generator)


@every_kind([Mlp((6,)), *RECURRENT])
@pytest.mark.parametrize("at", [0, 1, 11, 22])
def test_later_frames_do_not_change_earlier_output(kind, at):
    network, inputs = network_of(kind), features()
    other = inputs.clone()
    other[:, at:] = features(1)[:, at:]
    one, two = (network(each, network.initial_state(STREAMS))[0] for each in (inputs, other))
    assert torch.equal(one[:, :at], two[:, :at])
    assert not torch.allclose(one[:, at], two[:, at])


@every_kind(RECURRENT)
def test_earlier_frames_change_later_output(kind):
    network, inputs = network_of(kind), features()
    other = inputs.clone()
    other[:, 10] += 1
    one, two = (network(each, network.initial_state(STREAMS))[0] for each in (inputs, other))
    assert not torch.allclose(one[:, 11], two[:, 11], atol=1e-5)


def test_a_feed_forward_backbone_has_no_state():
    network, inputs = network_of(Mlp((6, 4))), features()
    actual, memory = network(inputs, network.initial_state(STREAMS))
    assert memory == ()
    turned = torch.randperm(MOMENTS, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(network(inputs[:, turned], ())[0], actual[:, turned])


@every_kind([Mlp((6,)), *RECURRENT])
@pytest.mark.parametrize("cuts", [range(1, MOMENTS), [1], [4, 5, 20]], ids=str)
def test_prediction_in_chunks_equals_prediction_at_once(kind, cuts):
    network, inputs = network_of(kind), features()
    complete, after = network(inputs, network.initial_state(STREAMS))
    memory, pieces = network.initial_state(STREAMS), []
    for piece in inputs.tensor_split(list(cuts), 1):
        actual, memory = network(piece, memory)
        pieces.append(actual)
    # The order of summation may depend on the size of a product.
    torch.testing.assert_close(torch.cat(pieces, 1), complete, rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(memory, after, rtol=1e-5, atol=1e-5)


@every_kind(RECURRENT)
def test_streams_are_independent(kind):
    network, inputs = network_of(kind), features()
    together, _ = network(inputs, network.initial_state(STREAMS))
    for stream in range(STREAMS):
        alone, _ = network(inputs[stream : stream + 1], network.initial_state(1))
        torch.testing.assert_close(alone[0], together[stream], rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(("kernel", "layers"), [(2, 1), (2, 4), (3, 3), (5, 2)])
def test_a_convolutional_backbone_sees_its_receptive_field(kernel, layers):
    kind = Tcn((), "tanh", channels=4, kernel=kernel, layers=layers)
    backbone = Convolutional(kind, Feedforward(kind, WIDTH))
    reach = (kernel - 1) * (2**layers - 1)
    assert sum(part.shape[2] for part in backbone.initial_state(1)) == reach
    with torch.no_grad():
        for weights in backbone.parameters():  # none may be nothing
            weights.copy_(torch.rand(weights.shape, generator=torch.Generator().manual_seed(0)))
            weights.mul_(0.1).add_(0.02)
    inputs = torch.zeros(1, reach + 3, WIDTH, requires_grad=True)
    backbone(inputs, backbone.initial_state(1))[0][0, -1].sum().backward()
    reached = inputs.grad.abs().sum((0, 2)) > 0
    assert reached.tolist() == [False, False, *[True] * (reach + 1)]


def test_a_convolutional_backbone_equals_a_slow_loop():
    kind = Tcn((), "tanh", channels=4, kernel=3, layers=2)
    backbone = Convolutional(kind, Feedforward(kind, WIDTH)).double()
    inputs = features()[:1].double()
    actual, _ = backbone(inputs, backbone.initial_state(1))
    values = torch.stack([backbone.input_layer(moment) for moment in inputs[0]])
    for number, layer in enumerate(backbone.convolutions):
        entered = values.clone()
        for at in range(MOMENTS):
            total = layer.bias.clone()
            for tap in range(3):
                back = at - (2 - tap) * 2**number
                if back >= 0:
                    total = total + layer.weight[:, :, tap] @ entered[back]
            values[at] = entered[at] + torch.tanh(total)
    torch.testing.assert_close(actual[0], torch.cat([inputs[0], values], 1))


@pytest.mark.parametrize(("cell", "parts"), [("gru", 1), ("lstm", 2)])
def test_a_recurrent_backbone_returns_encoder_and_cell_values(cell, parts):
    kind = Rnn((6,), memory=(4, 3), cell=cell)
    backbone = Recurrent(kind, Feedforward(kind, WIDTH))
    memory = backbone.initial_state(STREAMS)
    expected = [(STREAMS, width) for width in (4, 3) for _ in range(parts)]
    assert [part.shape for part in memory] == expected
    assert not any(part.any() for part in memory)
    actual, after = backbone(features(), memory)
    assert actual.shape == (STREAMS, MOMENTS, backbone.width) == (STREAMS, MOMENTS, 6 + 3)
    torch.testing.assert_close(actual[..., :6], backbone.encoder(features(), ())[0])
    torch.testing.assert_close(actual[:, -1, 6:], after[parts][:, :])
    assert [part.shape for part in after] == expected


def test_a_residual_layer_adds_its_input_if_the_widths_match():
    settings = Mlp((5, 5, 3), "tanh", residual=True)
    backbone = Feedforward(settings, WIDTH)
    plain = Feedforward(Mlp((5, 5, 3), "tanh"), WIDTH)
    plain.load_state_dict(backbone.state_dict())
    values = features()
    for layer, bare in zip(backbone.layers, plain.layers, strict=True):
        expected = bare(values) + values if bare.linear.out_features == 5 else bare(values)
        torch.testing.assert_close(layer(values), expected)
        values = expected
    torch.testing.assert_close(backbone(features(), ())[0], values)
    assert [layer.is_residual for layer in backbone.layers] == [True, True, False]


def test_residual_layers_without_weights_change_nothing():
    layer = Layer(5, 5, Mlp((5,), residual=True))
    for weights in layer.parameters():
        torch.nn.init.zeros_(weights)
    assert torch.equal(layer(features()), features())


@pytest.mark.parametrize("probability", [1e-9, 0.1, 0.3, 0.999])
def test_dropout_sets_a_share_to_zero_and_scales_up_the_rest(probability):
    layer, values = Dropout(probability), 1 + torch.rand(501, 40, 7)
    torch.manual_seed(0)
    dropped = layer(values)
    kept = dropped != 0
    torch.testing.assert_close(dropped[kept], values[kept] / (1 - probability))
    share = 1 - kept.double().mean().item()
    deviation = math.sqrt(probability * (1 - probability) / values.numel())
    assert share == pytest.approx(probability, abs=4 * deviation + 2**-16)
    assert layer.eval()(values) is values


def test_dropout_drops_each_value_by_itself():
    layer, values = Dropout(0.5), torch.ones(40_000, 4)
    torch.manual_seed(0)
    kept = (layer(values) != 0).double()
    # Correlations of independent draws have a standard deviation of 1 / sqrt(40 000) = 0.005.
    torch.testing.assert_close(torch.corrcoef(kept.T), torch.eye(4).double(), rtol=0, atol=0.02)
    assert abs(torch.corrcoef(torch.stack([kept[1:, 0], kept[:-1, 3]]))[0, 1]) < 0.02


def test_processes_drop_the_same_values_as_one_process():
    values, parts = torch.rand(5, 40, 7), []
    for taken in (slice(0, 3), slice(3, 5)):
        torch.manual_seed(0)
        layer = Dropout(0.3)
        layer.total_rows, layer.own_rows = 5, taken
        parts.append(layer(values[taken]))
    torch.manual_seed(0)
    assert torch.equal(torch.cat(parts), Dropout(0.3)(values))
