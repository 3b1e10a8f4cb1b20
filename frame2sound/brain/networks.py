"""Networks: what is seen in, numbers for sound out; and what is remembered in between."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from msgspec import structs
from torch import nn

from frame2sound.brain.bodies import Body, Convolutional, Feedforward, Glancing, Memory, Recurrent
from frame2sound.brain.eyes import LIGHT, Eyes
from frame2sound.brain.ingredients import Eigenframes, Mlp, Rnn, Seen
from frame2sound.brain.inputs import see
from frame2sound.brain.recipe import Recipe


@dataclass(frozen=True)
class Told:
    """What a network that hears its own output is told while it learns.

    Attributes
    ----------
    wanted : tensor (streams, n, length)
        The true outputs.
    own : bool tensor (streams, n)
        Where it hears its own all the same.
    """

    wanted: torch.Tensor
    own: torch.Tensor


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
        self, eyes: Eyes | None, body: Body, outputs: int, hears: int = 0, silent: float = 0.0
    ) -> None:
        super().__init__()
        self.eyes = eyes
        self.body = body
        self.silent = silent
        self.top = nn.Linear(body.width, outputs)
        self.ear = nn.Linear(outputs, hears) if hears else None

    @property
    def remembers(self) -> bool:
        """Whether what it gives depends on what it was given before."""
        return self.ear is not None or self.body.remembers

    def look(self, seen: torch.Tensor) -> torch.Tensor:
        """Turn what `frame2sound.brain.inputs.see` gives into what the rest learns from."""
        return seen if self.eyes is None else self.eyes(seen)

    def follow(self, frames: torch.Tensor, kind: Seen) -> torch.Tensor:
        """Look at a film's successive frames ``(kind.past + n, 64, 64)``, or in colour.

        The first are the past of those that follow; gives ``(n, width)``.
        """
        if self.eyes is None:
            return see(frames.unfold(0, 1 + kind.past, 1).movedim(-1, 1), kind)
        return self.eyes.follow(
            see(frames[:, None], structs.replace(kind, history=0, motion=False))
        )

    def fresh(self, streams: int) -> Memory:
        """Return the memory of so many films that are about to begin."""
        memory = self.body.fresh(streams)
        if self.ear is None:
            return memory
        return (self._silence_heard().expand(streams, -1), *memory)

    def begun(self, memory: Memory, begins: torch.Tensor) -> Memory:
        """Return a memory in which streams begin anew where ``begins``, bool ``(streams,)``."""
        anew = self.fresh(len(begins))
        return tuple(
            torch.where(begins.reshape(-1, *(1 for _ in part.shape[1:])), fresh, part)
            for fresh, part in zip(anew, memory, strict=True)
        )

    def forward(
        self, looks: torch.Tensor, memory: Memory, told: Told | None = None
    ) -> tuple[torch.Tensor, Memory]:
        """Turn successive looks ``(streams, n, width)`` into outputs ``(streams, n, length)``.

        A network that hears its own last output may be ``told`` the true ones instead.
        """
        if self.ear is None:
            hidden, memory = self.body(looks, memory)
            return self.top(hidden), memory
        # What is heard of its own is linear in what the top sees: one small map instead of two.
        weight = self.ear.weight @ self.top.weight.detach()
        bias = self.ear(self.top.bias.detach())
        told_heard = None if told is None else self.ear(told.wanted)
        hidden, heard, state = [], memory[0], memory[1:]
        for at in range(looks.shape[1]):
            seen = torch.cat([heard, looks[:, at]], 1)
            values, state = self.body(seen[:, None], state)
            hidden.append(values)
            heard = nn.functional.linear(values[:, 0].detach(), weight, bias)
            if told is not None and told_heard is not None:
                heard = torch.where(told.own[:, at, None], heard, told_heard[:, at])
        return self.top(torch.cat(hidden, 1)), (heard, *state)

    def _silence_heard(self) -> torch.Tensor:
        assert self.ear is not None
        silence = self.top.bias.new_full((self.top.out_features,), self.silent)
        heard: torch.Tensor = self.ear(silence)
        return heard.detach()

    def hidden(self, looks: torch.Tensor) -> torch.Tensor:
        """Return what the top sees of looks ``(streams, n, width)`` while silence is heard."""
        memory = self.fresh(len(looks))
        if self.ear is not None:
            heard = memory[0][:, None].expand(-1, looks.shape[1], -1)
            looks, memory = torch.cat([heard, looks], 2), memory[1:]
        hidden: torch.Tensor = self.body(looks, memory)[0]
        return hidden


def build_network(recipe: Recipe, inputs: int, outputs: int, silent: float = 0.0) -> Network:
    """Build what a recipe asks for.

    Where the picture enters as eigenframes, the eyes come first. They are part of the network, but
    not of what is learned by descent; nor is the glance, if there is one.
    """
    asked, eyes = recipe.network, None
    if isinstance(recipe.input, Eigenframes):
        eyes = Eyes(recipe.input, asked.glance > 0)
        inputs = eyes.width - LIGHT * (asked.glance > 0)
    hears = asked.hears if isinstance(asked, Rnn) else 0
    body: Body = Feedforward(asked, inputs + hears)
    if not isinstance(asked, Mlp):
        kind = Recurrent if isinstance(asked, Rnn) else Convolutional
        body = kind(asked, body)  # type: ignore[arg-type]
    if asked.glance:
        body = Glancing(body, asked.glance)
    return Network(eyes, body, outputs, hears, silent)


def initialise(network: Network, seed: int) -> None:
    """Draw the weights anew.

    Layers before a ReLU start as He et al. 2015 advise, others as Glorot and Bengio 2010; recurrent
    weights start orthogonal (Saxe et al. 2014), and long short-term memory remembers (Jozefowicz et
    al. 2015). The top starts small, so that an untrained brain is quiet rather than loud.
    """
    random = torch.Generator().manual_seed(seed)
    rectified = any(isinstance(layer, nn.ReLU) for layer in network.body.modules())
    for layer in network.modules():
        if isinstance(layer, nn.GRU | nn.LSTM):
            _initialise_cell(layer, random)
        elif isinstance(layer, nn.Linear | nn.Conv1d) and layer.weight.requires_grad:
            if rectified and layer not in (network.top, network.ear):
                nn.init.kaiming_normal_(layer.weight, nonlinearity="relu", generator=random)
            else:
                gain = 0.1 if layer is network.top else 1.0
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


def glance_of(network: Network) -> nn.Sequential | None:
    """Return the part that sees only how much light there is, if there is one."""
    return network.body.glance if isinstance(network.body, Glancing) else None
