"""Layers of networks as ONNX, for one frame: what `frame2sound.brain.numpy_network` computes."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from frame2sound.brain.config import Mlp, Rnn, Tcn
from frame2sound.brain.frame_encoding import BRIGHTNESS_COUNT
from frame2sound.brain.numpy_network import LAYER_NORM_EPSILON
from frame2sound.brain.onnx_graph import OnnxGraph
from frame2sound.brain.recipe import Recipe
from frame2sound.brain.weights import Weights, under

State = list[str]
NewState = Callable[[str, tuple[int, ...]], str]
"""Adds an input for a part of the state, of a name and a shape, and returns its value."""

_ACTIVATIONS = {"relu": "Relu", "logistic": "Sigmoid", "tanh": "Tanh"}


def backbone_layers(
    graph: OnnxGraph, recipe: Recipe, weights: Weights, features: str, width: int, new: NewState
) -> tuple[str, State]:
    """Return hidden values ``(1, width)`` and the next state of features ``(1, width)``."""
    network = recipe.network
    if not network.brightness_branch:
        return _trained(graph, network, under(weights, "backbone."), features, new)
    plain = graph.columns(features, 0, width - BRIGHTNESS_COUNT)
    hidden, state = _trained(graph, network, under(weights, "backbone.backbone."), plain, new)
    branch = graph.columns(features, width - BRIGHTNESS_COUNT, width)
    for number in (0, 2):
        branch = graph.linear(branch, weights, f"backbone.brightness_branch.{number}")
        branch = graph.apply("Relu", branch)
    return graph.concatenate([hidden, branch]), state


def _trained(
    graph: OnnxGraph, network: Mlp | Rnn | Tcn, weights: Weights, values: str, new: NewState
) -> tuple[str, State]:
    if isinstance(network, Rnn):
        return _recurrent(graph, network, weights, values, new)
    if isinstance(network, Tcn):
        return _convolutional(graph, network, weights, values, new)
    return _feedforward(graph, network, weights, values), []


def _feedforward(graph: OnnxGraph, network: Mlp | Rnn | Tcn, weights: Weights, values: str) -> str:
    for number in range(len(network.hidden)):
        outputs, inputs = weights[f"layers.{number}.linear.weight"].shape
        before, values = values, graph.linear(values, weights, f"layers.{number}.linear")
        if network.normalise:
            gain, bias = (
                graph.constant(weights[f"layers.{number}.norm.{part}"])
                for part in ("weight", "bias")
            )
            values = graph.apply(
                "LayerNormalization", values, gain, bias, axis=-1, epsilon=LAYER_NORM_EPSILON
            )
        values = graph.apply(_ACTIVATIONS[network.activation], values)
        if network.residual and inputs == outputs:
            values = graph.apply("Add", before, values)
    return values


def _recurrent(
    graph: OnnxGraph, network: Rnn, weights: Weights, values: str, new: NewState
) -> tuple[str, State]:
    encoded = values = _feedforward(graph, network, under(weights, "encoder."), values)
    state: State = []
    for number, width in enumerate(network.memory):
        cell = under(weights, f"cells.{number}.")
        hidden = new(f"hidden_{number}", (1, width))
        if network.cell == "gru":
            values = _gru(graph, cell, values, hidden, width)
            state.append(values)
        else:
            memory = new(f"cell_{number}", (1, width))
            values, memory = _lstm(graph, cell, values, (hidden, memory), width)
            state += [values, memory]
    return graph.concatenate([encoded, values]), state


def _gates(graph: OnnxGraph, weights: Weights, values: str, kind: str) -> str:
    parts = {
        "gates.weight": weights[f"weight_{kind}_l0"], "gates.bias": weights[f"bias_{kind}_l0"]
    }  # fmt: skip
    return graph.linear(values, parts, "gates")


def _gru(graph: OnnxGraph, weights: Weights, values: str, hidden: str, width: int) -> str:
    entering = _gates(graph, weights, values, "ih")
    remembered = _gates(graph, weights, hidden, "hh")
    reset, update, candidate = (
        [graph.columns(each, gate * width, (gate + 1) * width) for each in (entering, remembered)]
        for gate in range(3)
    )
    opened = graph.apply("Sigmoid", graph.apply("Add", *reset))
    kept = graph.apply("Sigmoid", graph.apply("Add", *update))
    recalled = graph.apply("Mul", opened, candidate[1])
    proposed = graph.apply("Tanh", graph.apply("Add", candidate[0], recalled))
    change = graph.apply("Mul", kept, graph.apply("Sub", hidden, proposed))
    return graph.apply("Add", proposed, change)


def _lstm(
    graph: OnnxGraph, weights: Weights, values: str, state: tuple[str, str], width: int
) -> tuple[str, str]:
    hidden, memory = state
    gates = graph.apply(
        "Add", _gates(graph, weights, values, "ih"), _gates(graph, weights, hidden, "hh")
    )
    write, forget, proposed, read = (
        graph.columns(gates, gate * width, (gate + 1) * width) for gate in range(4)
    )
    write, forget, read = (graph.apply("Sigmoid", gate) for gate in (write, forget, read))
    written = graph.apply("Mul", write, graph.apply("Tanh", proposed))
    memory = graph.apply("Add", graph.apply("Mul", forget, memory), written)
    return graph.apply("Mul", read, graph.apply("Tanh", memory)), memory


def _convolutional(
    graph: OnnxGraph, network: Tcn, weights: Weights, values: str, new: NewState
) -> tuple[str, State]:
    encoded = _feedforward(graph, network, under(weights, "encoder."), values)
    values, state = graph.linear(encoded, weights, "input_layer"), []
    for number in range(network.layers):
        reach = (network.kernel - 1) * 2**number
        past = new(f"convolution_{number}", (reach, network.channels))
        sequence = graph.concatenate([past, values], 0)
        state.append(graph.rows(sequence, *range(1, reach + 1)))
        taps = graph.rows(sequence, *range(0, reach + 1, 2**number))
        taps = graph.reshape(taps, 1, network.kernel * network.channels)
        kernel = weights[f"convolutions.{number}.weight"]
        parts = {
            "taps.weight": np.moveaxis(kernel, 2, 1).reshape(len(kernel), -1),
            "taps.bias": weights[f"convolutions.{number}.bias"],
        }
        change = graph.apply(_ACTIVATIONS[network.activation], graph.linear(taps, parts, "taps"))
        values = graph.apply("Add", values, change)
    return graph.concatenate([encoded, values]), state
