"""Networks in NumPy, for prediction on a processor: what `frame2sound.brain.networks` computes.

A chunk of a film's successive frames is one array, ``(n, width)``; what a part remembers of earlier
chunks is its state.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from msgspec import structs
from numpy.typing import NDArray

from frame2sound.brain.config import Eigenframes, Mlp, Rnn, Tcn
from frame2sound.brain.frame_encoding import (
    BRIGHTNESS_COUNT,
    brightness_features,
    brightness_profiles,
    encode_frames,
    grey_views,
)
from frame2sound.brain.recipe import Recipe
from frame2sound.brain.weights import FEATURES_PREFIX, Weights, under

Values = NDArray[np.float32]
State = tuple[Any, ...]
Backbone = Callable[[Values, State], tuple[Values, State]]
"""Maps the values of successive frames, and a state, to hidden values and the state after them."""

LAYER_NORM_EPSILON = 1e-5
"""Added to the variance by LayerNorm, as PyTorch does."""


class NumpyNetwork:
    """A network that predicts a film, chunk by chunk.

    Its outputs are those of `frame2sound.brain.networks.Network` up to rounding. Matrix products
    are those of NumPy's BLAS: the same from run to run with as many threads, and with another
    number of threads, or of frames in a chunk, up to rounding.

    Parameters
    ----------
    recipe : Recipe
    weights : mapping of str to array
        As `frame2sound.brain.weights.weight_shapes` says; not copied.
    silence_value : float
        The output that means silence, which is fed back before a film's first frame.
    """

    def __init__(self, recipe: Recipe, weights: Weights, silence_value: float = 0.0) -> None:
        self.config = recipe.input
        self.head = Linear(weights, "head")
        self.silence_value = np.float32(silence_value)
        self._features = None
        if isinstance(recipe.input, Eigenframes):
            self._features = _FrameFeatures(recipe.input, under(weights, FEATURES_PREFIX))
        self._backbone, state = _build_backbone(recipe, weights)
        self._feedback = Linear(weights, "feedback") if "feedback.weight" in weights else None
        if self._feedback is not None:
            silence = np.full((1, len(self.head.bias)), self.silence_value)
            state = (self._feedback(silence), *state)
        self._initial_state = state

    @property
    def is_recurrent(self) -> bool:
        """Whether the output depends on earlier frames."""
        return bool(self._initial_state)

    def initial_state(self) -> State:
        """Return the state before a film's first frame."""
        return self._initial_state

    def predict(self, frames: NDArray[np.uint8], state: State) -> tuple[Values, State]:
        """Return outputs ``(n, length)`` and the state after the last frame.

        Parameters
        ----------
        frames : uint8 array (past_frames + n, 64, 64), or in colour
            The first ``past_frames`` are the past of those that follow.
        state : tuple
        """
        with np.errstate(over="ignore", invalid="ignore"):  # if training has diverged
            hidden, state = self.hidden(frames, state)
            return self.head(hidden), state

    def hidden(self, frames: NDArray[np.uint8], state: State) -> tuple[Values, State]:
        """Return the inputs of the head ``(n, width)`` and the state after the last frame."""
        features = self._extract_features(frames)
        if self._feedback is None:
            return self._backbone(features, state)
        hidden, fed_back, state = [], state[0], state[1:]
        for row in features:
            inputs = np.concatenate([fed_back, row[None]], 1)
            values, state = self._backbone(inputs, state)
            hidden.append(values)
            fed_back = self._feedback(self.head(values))
        width = self.head.weight.shape[1]
        return np.concatenate([np.empty((0, width), np.float32), *hidden]), (fed_back, *state)

    def _extract_features(self, frames: NDArray[np.uint8]) -> Values:
        if self._features is not None:
            views = encode_frames(
                frames[:, None], structs.replace(self.config, history=0, motion=False)
            )
            return self._features.of_sequence(views)
        windows = np.lib.stride_tricks.sliding_window_view(frames, 1 + self.config.past_frames, 0)
        return encode_frames(np.moveaxis(windows, -1, 1), self.config)


class Linear:
    """A linear layer with the weights ``NAME.weight`` ``(outputs, inputs)`` and ``NAME.bias``."""

    def __init__(self, weights: Weights, name: str) -> None:
        self.weight, self.bias = weights[f"{name}.weight"], weights[f"{name}.bias"]

    def __call__(self, values: Values) -> Values:
        """Map ``(n, inputs)`` to ``(n, outputs)``."""
        outputs: Values = values @ self.weight.T + self.bias
        return outputs


class _FrameFeatures:
    """The fixed features of a film's frames; see `frame2sound.brain.features.FrameFeatures`."""

    def __init__(self, config: Eigenframes, weights: Weights) -> None:
        self._config, self._weights = config, weights

    def of_sequence(self, views: Values) -> Values:
        """Return features ``(n, width)`` of pictures ``(past_frames + n, view_size)``."""
        config, past = self._config, self._config.past_frames
        current, still = views[past:], self._of_pictures(views, "still")
        parts = [still[past - back :][: len(current)] for back in range(config.still_frames)]
        if config.motion:
            parts.append(self._of_pictures(current - views[past - 1 : -1], "motion"))
        if "brightness.gain" in self._weights:
            brightness = brightness_features(grey_views(current))
            parts.append(self._standardise(brightness, "brightness"))
        return np.concatenate(parts, 1)

    def _of_pictures(self, views: Values, part: str) -> Values:
        """Return the components of pictures, and the profiles if there are any."""
        components = Linear(self._weights, part)(views)
        if not self._config.profiles:
            return components
        profiles = brightness_profiles(np.abs(grey_views(views)))
        return np.concatenate([components, self._standardise(profiles, f"{part}.profiles")], 1)

    def _standardise(self, values: Values, part: str) -> Values:
        mean, gain = self._weights[f"{part}.mean"], self._weights[f"{part}.gain"]
        standard: Values = (values - mean) * gain
        return standard


def _build_backbone(recipe: Recipe, weights: Weights) -> tuple[Backbone, State]:
    """Return the backbone of a recipe and its initial state."""
    network = recipe.network
    if not network.brightness_branch:
        return _build_trained(network, under(weights, "backbone."))
    backbone, state = _build_trained(network, under(weights, "backbone.backbone."))
    first, second = (Linear(weights, f"backbone.brightness_branch.{n}") for n in (0, 2))

    def with_brightness_branch(features: Values, state: State) -> tuple[Values, State]:
        hidden, state = backbone(features[:, :-BRIGHTNESS_COUNT], state)
        branch = _relu(second(_relu(first(features[:, -BRIGHTNESS_COUNT:]))))
        return np.concatenate([hidden, branch], 1), state

    return with_brightness_branch, state


def _build_trained(network: Mlp | Rnn | Tcn, weights: Weights) -> tuple[Backbone, State]:
    if isinstance(network, Rnn):
        recurrent = _Recurrent(network, weights)
        return recurrent, recurrent.initial_state
    if isinstance(network, Tcn):
        convolutional = _Convolutional(network, weights)
        return convolutional, convolutional.initial_state
    return _Feedforward(network, weights), ()


class _Feedforward:
    """Layers: linear, optional LayerNorm, activation; residual if the widths match."""

    def __init__(self, network: Mlp | Rnn | Tcn, weights: Weights) -> None:
        self._network, self._weights = network, weights
        self._activate = _ACTIVATIONS[network.activation]
        self._layers = [
            Linear(weights, f"layers.{number}.linear") for number in range(len(network.hidden))
        ]

    def __call__(self, values: Values, state: State = ()) -> tuple[Values, State]:
        for number, layer in enumerate(self._layers):
            inputs, values = values, layer(values)
            if self._network.normalise:
                values = self._normalise(values, f"layers.{number}.norm")
            values = self._activate(values)
            if self._network.residual and inputs.shape == values.shape:
                values = inputs + values
        return values, state

    def _normalise(self, values: Values, name: str) -> Values:
        """Apply LayerNorm (Ba, Kiros and Hinton 2016)."""
        centred = values - values.mean(1, keepdims=True)
        variance = np.square(centred).mean(1, keepdims=True)
        standard = centred / np.sqrt(variance + LAYER_NORM_EPSILON)
        weight, bias = self._weights[f"{name}.weight"], self._weights[f"{name}.bias"]
        normalised: Values = standard * weight + bias
        return normalised


class _Recurrent:
    """An encoder, then gated recurrent units or long short-term memory."""

    def __init__(self, network: Rnn, weights: Weights) -> None:
        self._encoder = _Feedforward(network, under(weights, "encoder."))
        cell = _gru if network.cell == "gru" else _lstm
        self._cells = [
            (cell, under(weights, f"cells.{number}.")) for number in range(len(network.memory))
        ]
        states_per_cell = 1 if network.cell == "gru" else 2
        self.initial_state: State = tuple(
            (np.zeros(width, np.float32),) * states_per_cell for width in network.memory
        )

    def __call__(self, features: Values, state: State) -> tuple[Values, State]:
        encoded, _ = self._encoder(features)
        values, new_state = encoded, []
        for (cell, weights), cell_state in zip(self._cells, state, strict=True):
            values, cell_state = cell(weights, values, cell_state)
            new_state.append(cell_state)
        return np.concatenate([encoded, values], 1), tuple(new_state)


def _gru(weights: Weights, values: Values, state: State) -> tuple[Values, State]:
    """Run gated recurrent units over frames ``(n, in)``; the state is their last outputs."""
    width = weights["weight_hh_l0"].shape[1]
    entering = values @ weights["weight_ih_l0"].T + weights["bias_ih_l0"]
    recurrent, bias = weights["weight_hh_l0"], weights["bias_hh_l0"]
    (hidden,), outputs = state, np.empty((len(values), width), np.float32)
    for number, row in enumerate(entering):
        remembered = recurrent @ hidden + bias
        gates = _logistic(row[: 2 * width] + remembered[: 2 * width])
        reset, update = gates[:width], gates[width:]
        new = np.tanh(row[2 * width :] + reset * remembered[2 * width :])
        outputs[number] = hidden = new + update * (hidden - new)
    return outputs, (hidden,)


def _lstm(weights: Weights, values: Values, state: State) -> tuple[Values, State]:
    """Run long short-term memory over frames ``(n, in)``; the state is outputs and cells."""
    width = weights["weight_hh_l0"].shape[1]
    entering = values @ weights["weight_ih_l0"].T + (weights["bias_ih_l0"] + weights["bias_hh_l0"])
    recurrent = weights["weight_hh_l0"]
    (hidden, cell), outputs = state, np.empty((len(values), width), np.float32)
    for number, row in enumerate(entering):
        gates = (row + recurrent @ hidden).reshape(4, width)
        write, forget, read = _logistic(gates[[0, 1, 3]])
        cell = forget * cell + write * np.tanh(gates[2])
        outputs[number] = hidden = read * np.tanh(cell)
    return outputs, (hidden, cell)


class _Convolutional:
    """An encoder, then causal convolutions with doubling dilation and residual connections.

    The state is the past values ``(frames, channels)`` that each convolution still needs.
    """

    def __init__(self, network: Tcn, weights: Weights) -> None:
        self._encoder = _Feedforward(network, under(weights, "encoder."))
        self._enter = Linear(weights, "input_layer")
        self._activate = _ACTIVATIONS[network.activation]
        self._convolutions = [
            (2**number, under(weights, f"convolutions.{number}."))
            for number in range(network.layers)
        ]
        self.initial_state: State = tuple(
            np.zeros(((network.kernel - 1) * dilation, network.channels), np.float32)
            for dilation, _ in self._convolutions
        )

    def __call__(self, features: Values, state: State) -> tuple[Values, State]:
        encoded, _ = self._encoder(features)
        values, new_state = self._enter(encoded), []
        for (dilation, weights), past in zip(self._convolutions, state, strict=True):
            sequence = np.concatenate([past, values])
            new_state.append(sequence[len(values) :])
            values = values + self._activate(_convolve(weights, sequence, dilation, len(values)))
        return np.concatenate([encoded, values], 1), tuple(new_state)


def _convolve(weights: Weights, sequence: Values, dilation: int, count: int) -> Values:
    """Return the convolution of the last ``count`` rows of a sequence with those before them."""
    kernel = weights["weight"]  # (outputs, inputs, taps)
    taps = [sequence[tap * dilation :][:count] for tap in range(kernel.shape[2])]
    columns = np.moveaxis(kernel, 2, 1).reshape(len(kernel), -1)
    convolved: Values = np.concatenate(taps, 1) @ columns.T + weights["bias"]
    return convolved


def _relu(values: Values) -> Values:
    return np.maximum(values, 0)


def _logistic(values: Values) -> Values:
    half = np.float32(0.5)
    logistic: Values = half + half * np.tanh(half * values)  # does not overflow
    return logistic


_ACTIVATIONS: dict[str, Callable[[Values], Values]] = {
    "relu": _relu,
    "logistic": _logistic,
    "tanh": np.tanh,
}
