"""Networks: features, backbone and head in one module, with their recurrent state."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from msgspec import structs
from numpy.typing import NDArray
from torch import nn

from frame2sound.brain.arrays import to_numpy
from frame2sound.brain.backbones import (
    Backbone,
    Convolutional,
    Feedforward,
    Recurrent,
    State,
    WithBrightnessBranch,
)
from frame2sound.brain.config import Eigenframes, InputConfig, Mlp, Rnn
from frame2sound.brain.features import FrameFeatures
from frame2sound.brain.frame_encoding import BRIGHTNESS_COUNT, encode_frames, input_size
from frame2sound.brain.recipe import Recipe
from frame2sound.brain.targets import Target
from frame2sound.brain.weights import Weights


@dataclass(frozen=True)
class TeacherForcing:
    """The outputs that are fed back in training instead of the network's own.

    Attributes
    ----------
    targets : tensor (streams, n, length)
        The true outputs.
    use_own_output : bool tensor (streams, n)
        The frames at which the network's own output is fed back all the same.
    """

    targets: torch.Tensor
    use_own_output: torch.Tensor


class Network(nn.Module):
    """Fixed features, a trained backbone that may be recurrent, and a linear head.

    Attributes
    ----------
    features : FrameFeatures or None
        None if the picture does not enter as eigenframes.
    backbone : Backbone
    head : nn.Linear
    feedback : nn.Linear or None
        Maps the last output to the values that are fed back; None without feedback.
    silence_value : float
        The output that means silence, which is fed back before a film's first frame.
    """

    def __init__(
        self,
        features: FrameFeatures | None,
        backbone: Backbone,
        outputs: int,
        feedback_units: int = 0,
        silence_value: float = 0.0,
    ) -> None:
        super().__init__()
        self.features = features
        self.backbone = backbone
        self.silence_value = silence_value
        self.head = nn.Linear(backbone.width, outputs)
        self.feedback = nn.Linear(outputs, feedback_units) if feedback_units else None

    @property
    def is_recurrent(self) -> bool:
        """Whether the output depends on earlier frames."""
        return self.feedback is not None or self.backbone.is_recurrent

    def extract_features(self, inputs: torch.Tensor) -> torch.Tensor:
        """Return the features of frames that `encode_frames` has encoded."""
        return inputs if self.features is None else self.features(inputs)

    def extract_sequence_features(self, frames: torch.Tensor, config: InputConfig) -> torch.Tensor:
        """Return features ``(n, width)`` of successive frames ``(past_frames + n, 64, 64)``.

        The frames are uint8, grey or in colour; the first ``past_frames`` are the past of those
        that follow.
        """
        if self.features is None:
            return encode_frames(frames.unfold(0, 1 + config.past_frames, 1).movedim(-1, 1), config)
        return self.features.of_sequence(
            encode_frames(frames[:, None], structs.replace(config, history=0, motion=False))
        )

    def initial_state(self, streams: int) -> State:
        """Return the state of ``streams`` films before their first frame."""
        state = self.backbone.initial_state(streams)
        if self.feedback is None:
            return state
        return (self._feedback_of_silence().expand(streams, -1), *state)

    def reset_state(self, state: State, begins: torch.Tensor) -> State:
        """Return a state in which the streams that ``begins``, bool ``(streams,)``, are reset."""
        initial = self.initial_state(len(begins))
        return tuple(
            torch.where(begins.reshape(-1, *(1 for _ in part.shape[1:])), start, part)
            for start, part in zip(initial, state, strict=True)
        )

    def forward(
        self, features: torch.Tensor, state: State, teacher_forcing: TeacherForcing | None = None
    ) -> tuple[torch.Tensor, State]:
        """Return outputs ``(streams, n, length)`` for features ``(streams, n, width)``.

        With ``teacher_forcing``, true outputs are fed back instead of the network's own.
        """
        if self.feedback is None:
            hidden, state = self.backbone(features, state)
            return self.head(hidden), state
        # Head and feedback are both linear: their product is one small map from the hidden values.
        weight = self.feedback.weight @ self.head.weight.detach()
        bias = self.feedback(self.head.bias.detach())
        forced = None if teacher_forcing is None else self.feedback(teacher_forcing.targets)
        hidden, fed_back, state = [], state[0], state[1:]
        for at in range(features.shape[1]):
            inputs = torch.cat([fed_back, features[:, at]], 1)
            values, state = self.backbone(inputs[:, None], state)
            hidden.append(values)
            fed_back = nn.functional.linear(values[:, 0].detach(), weight, bias)
            if teacher_forcing is not None and forced is not None:
                use_own_output = teacher_forcing.use_own_output[:, at, None]
                fed_back = torch.where(use_own_output, fed_back, forced[:, at])
        return self.head(torch.cat(hidden, 1)), (fed_back, *state)

    def _feedback_of_silence(self) -> torch.Tensor:
        assert self.feedback is not None
        silence = self.head.bias.new_full((self.head.out_features,), self.silence_value)
        fed_back: torch.Tensor = self.feedback(silence)
        return fed_back.detach()

    def hidden(self, features: torch.Tensor) -> torch.Tensor:
        """Return the head's input for features ``(streams, n, width)`` with silence fed back."""
        state = self.initial_state(len(features))
        if self.feedback is not None:
            fed_back = state[0][:, None].expand(-1, features.shape[1], -1)
            features, state = torch.cat([fed_back, features], 2), state[1:]
        hidden: torch.Tensor = self.backbone(features, state)[0]
        return hidden


class AcceleratedNetwork:
    """Predicts a film, chunk by chunk, with a network on an accelerator."""

    def __init__(self, network: Network, config: InputConfig) -> None:
        self._network, self._config = network, config

    def initial_state(self) -> State:
        """Return the state before the film's first frame."""
        return self._network.initial_state(1)

    def predict(self, frames: NDArray[np.uint8], state: State) -> tuple[NDArray[np.float32], State]:
        """Return outputs ``(n, length)`` and the state after the last frame.

        The first ``past_frames`` of the frames ``(past_frames + n, ...)`` are the past of others.
        """
        device = next(self._network.parameters()).device
        with torch.inference_mode():
            sequence = torch.from_numpy(frames).to(device)
            features = self._network.extract_sequence_features(sequence, self._config)
            outputs, state = self._network(features[None], state)
        return to_numpy(outputs[0]), state


def build_network(recipe: Recipe, inputs: int, outputs: int, silence_value: float = 0.0) -> Network:
    """Return the network of a recipe, untrained.

    If the picture enters as eigenframes, the network begins with `FrameFeatures`. Gradient descent
    trains neither these nor the brightness branch.
    """
    config, features = recipe.network, None
    if isinstance(recipe.input, Eigenframes):
        features = FrameFeatures(recipe.input, config.brightness_branch > 0)
        inputs = features.width - BRIGHTNESS_COUNT * (config.brightness_branch > 0)
    feedback_units = config.feedback_units if isinstance(config, Rnn) else 0
    backbone: Backbone = Feedforward(config, inputs + feedback_units)
    if not isinstance(config, Mlp):
        kind = Recurrent if isinstance(config, Rnn) else Convolutional
        backbone = kind(config, backbone)  # type: ignore[arg-type]
    if config.brightness_branch:
        backbone = WithBrightnessBranch(backbone, config.brightness_branch)
    return Network(features, backbone, outputs, feedback_units, silence_value)


def build_untrained(recipe: Recipe, target: Target, seed: int) -> Network:
    """Return the network of a recipe and its target with random weights."""
    inputs, silence_value = input_size(recipe.input), target.silence_value
    network = build_network(recipe, inputs, target.length, silence_value)
    initialise(network, seed)
    return network


def network_with_weights(recipe: Recipe, target: Target, weights: Weights) -> Network:
    """Return the network of a recipe and its target with copies of weights."""
    with torch.device("meta"):
        network = build_network(
            recipe, input_size(recipe.input), target.length, target.silence_value
        )
    # Copied into memory of PyTorch: products of unaligned arrays may round differently.
    tensors = {name: torch.from_numpy(array).clone() for name, array in weights.items()}
    network.load_state_dict(tensors, assign=True)
    return network.eval()


def initialise(network: Network, seed: int) -> None:
    """Set the weights to random values.

    Layers before a ReLU are initialised as in He et al. 2015, others as in Glorot and Bengio 2010.
    Recurrent weights are orthogonal (Saxe et al. 2014), and the forget gates of long short-term
    memory start open (Jozefowicz et al. 2015). The head starts small, so that an untrained brain is
    quiet rather than loud.
    """
    random = torch.Generator().manual_seed(seed)
    rectified = any(isinstance(layer, nn.ReLU) for layer in network.backbone.modules())
    for layer in network.modules():
        if isinstance(layer, nn.GRU | nn.LSTM):
            _initialise_cell(layer, random)
        elif isinstance(layer, nn.Linear | nn.Conv1d) and layer.weight.requires_grad:
            if rectified and layer not in (network.head, network.feedback):
                nn.init.kaiming_normal_(layer.weight, nonlinearity="relu", generator=random)
            else:
                gain = 0.1 if layer is network.head else 1.0
                nn.init.xavier_normal_(layer.weight, gain=gain, generator=random)
            assert layer.bias is not None
            nn.init.zeros_(layer.bias)


def _initialise_cell(cell: nn.GRU | nn.LSTM, random: torch.Generator) -> None:
    width = cell.hidden_size
    input_weights, recurrent_weights, *biases = cell.parameters()
    nn.init.xavier_uniform_(input_weights, generator=random)
    for gate in recurrent_weights.chunk(len(recurrent_weights) // width):
        nn.init.orthogonal_(gate, generator=random)
    for bias in biases:
        nn.init.zeros_(bias)
    if isinstance(cell, nn.LSTM):
        nn.init.ones_(biases[0][width : 2 * width])  # the forget gate is open


def get_brightness_branch(network: Network) -> nn.Sequential | None:
    """Return the brightness branch of a network, or None if it has none."""
    backbone = network.backbone
    return backbone.brightness_branch if isinstance(backbone, WithBrightnessBranch) else None
