"""Networks: what is seen in, numbers for sound out; and what is remembered in between."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from msgspec import structs
from torch import nn

from frame2sound.brain.backbones import (
    Backbone,
    Convolutional,
    Feedforward,
    Recurrent,
    State,
    WithBrightnessBranch,
)
from frame2sound.brain.config import Eigenframes, InputConfig, Mlp, Rnn
from frame2sound.brain.features import BRIGHTNESS_COUNT, FrameFeatures, encode_frames
from frame2sound.brain.recipe import Recipe


@dataclass(frozen=True)
class TeacherForcing:
    """What a network that hears its own output is told while it learns.

    Attributes
    ----------
    wanted : tensor (streams, n, length)
        The true outputs.
    own : bool tensor (streams, n)
        Where it hears its own all the same.
    """

    targets: torch.Tensor
    use_own_output: torch.Tensor


class Network(nn.Module):
    """Eyes that are computed, a body that is learned and may remember, and a linear top.

    Attributes
    ----------
    eyes : Eyes or None
        Where the picture enters as eigenframes.
    body : Body
    top : nn.Linear
    ear : nn.Linear or None
        Through which the network hears its own last output.
    silent : float
        What it hears before a film begins: the number that stands for silence.
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
        """Whether what it gives depends on what it was given before."""
        return self.feedback is not None or self.backbone.is_recurrent

    def extract_features(self, inputs: torch.Tensor) -> torch.Tensor:
        """Turn what `frame2sound.brain.features.see` gives into what the rest learns from."""
        return inputs if self.features is None else self.features(inputs)

    def extract_sequence_features(self, frames: torch.Tensor, config: InputConfig) -> torch.Tensor:
        """Look at a film's successive frames ``(kind.past + n, 64, 64)``, or in colour.

        The first are the past of those that follow; gives ``(n, width)``.
        """
        if self.features is None:
            return encode_frames(frames.unfold(0, 1 + config.past_frames, 1).movedim(-1, 1), config)
        return self.features.of_sequence(
            encode_frames(frames[:, None], structs.replace(config, history=0, motion=False))
        )

    def initial_state(self, streams: int) -> State:
        """Return the memory of so many films that are about to begin."""
        memory = self.backbone.initial_state(streams)
        if self.feedback is None:
            return memory
        return (self._feedback_of_silence().expand(streams, -1), *memory)

    def reset_state(self, state: State, begins: torch.Tensor) -> State:
        """Return a memory in which streams begin anew where ``begins``, bool ``(streams,)``."""
        anew = self.initial_state(len(begins))
        return tuple(
            torch.where(begins.reshape(-1, *(1 for _ in part.shape[1:])), fresh, part)
            for fresh, part in zip(anew, state, strict=True)
        )

    def forward(
        self, features: torch.Tensor, state: State, teacher_forcing: TeacherForcing | None = None
    ) -> tuple[torch.Tensor, State]:
        """Turn successive looks ``(streams, n, width)`` into outputs ``(streams, n, length)``.

        A network that hears its own last output may be ``told`` the true ones instead.
        """
        if self.feedback is None:
            hidden, state = self.backbone(features, state)
            return self.head(hidden), state
        # What is heard of its own is linear in what the top sees: one small map instead of two.
        weight = self.feedback.weight @ self.head.weight.detach()
        bias = self.feedback(self.head.bias.detach())
        told_heard = None if teacher_forcing is None else self.feedback(teacher_forcing.targets)
        hidden, heard, state = [], state[0], state[1:]
        for at in range(features.shape[1]):
            seen = torch.cat([heard, features[:, at]], 1)
            values, state = self.backbone(seen[:, None], state)
            hidden.append(values)
            heard = nn.functional.linear(values[:, 0].detach(), weight, bias)
            if teacher_forcing is not None and told_heard is not None:
                heard = torch.where(
                    teacher_forcing.use_own_output[:, at, None], heard, told_heard[:, at]
                )
        return self.head(torch.cat(hidden, 1)), (heard, *state)

    def _feedback_of_silence(self) -> torch.Tensor:
        assert self.feedback is not None
        silence = self.head.bias.new_full((self.head.out_features,), self.silence_value)
        heard: torch.Tensor = self.feedback(silence)
        return heard.detach()

    def hidden(self, features: torch.Tensor) -> torch.Tensor:
        """Return what the top sees of looks ``(streams, n, width)`` while silence is heard."""
        memory = self.initial_state(len(features))
        if self.feedback is not None:
            heard = memory[0][:, None].expand(-1, features.shape[1], -1)
            features, memory = torch.cat([heard, features], 2), memory[1:]
        hidden: torch.Tensor = self.backbone(features, memory)[0]
        return hidden


def build_network(recipe: Recipe, inputs: int, outputs: int, silence_value: float = 0.0) -> Network:
    """Build what a recipe asks for.

    Where the picture enters as eigenframes, the eyes come first. They are part of the network, but
    not of what is learned by descent; nor is the glance, if there is one.
    """
    asked, eyes = recipe.network, None
    if isinstance(recipe.input, Eigenframes):
        eyes = FrameFeatures(recipe.input, asked.brightness_branch > 0)
        inputs = eyes.width - BRIGHTNESS_COUNT * (asked.brightness_branch > 0)
    hears = asked.feedback_units if isinstance(asked, Rnn) else 0
    body: Backbone = Feedforward(asked, inputs + hears)
    if not isinstance(asked, Mlp):
        kind = Recurrent if isinstance(asked, Rnn) else Convolutional
        body = kind(asked, body)  # type: ignore[arg-type]
    if asked.brightness_branch:
        body = WithBrightnessBranch(body, asked.brightness_branch)
    return Network(eyes, body, outputs, hears, silence_value)


def initialise(network: Network, seed: int) -> None:
    """Draw the weights anew.

    Layers before a ReLU start as He et al. 2015 advise, others as Glorot and Bengio 2010; recurrent
    weights start orthogonal (Saxe et al. 2014), and long short-term memory remembers (Jozefowicz et
    al. 2015). The top starts small, so that an untrained brain is quiet rather than loud.
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
    entering, remembered, *biases = cell.parameters()
    nn.init.xavier_uniform_(entering, generator=random)
    for gate in remembered.chunk(len(remembered) // width):
        nn.init.orthogonal_(gate, generator=random)
    for bias in biases:
        nn.init.zeros_(bias)
    if isinstance(cell, nn.LSTM):
        nn.init.ones_(biases[0][width : 2 * width])  # the forget gate is open


def get_brightness_branch(network: Network) -> nn.Sequential | None:
    """Return the part that sees only how much light there is, if there is one."""
    return (
        network.backbone.brightness_branch
        if isinstance(network.backbone, WithBrightnessBranch)
        else None
    )
