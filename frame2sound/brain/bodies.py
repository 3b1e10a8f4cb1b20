"""Bodies: the part of a network that is learned, but for its top; some of them remember."""

from __future__ import annotations

from abc import ABC, abstractmethod
from itertools import pairwise

import torch
from torch import nn

from frame2sound.brain.eyes import LIGHT
from frame2sound.brain.ingredients import Mlp, Rnn, Tcn

Memory = tuple[torch.Tensor, ...]
"""What is carried from one piece of film to the next, each tensor ``(streams, ...)``."""

_ACTIVATIONS: dict[str, type[nn.Module]] = {
    "relu": nn.ReLU,
    "logistic": nn.Sigmoid,
    "tanh": nn.Tanh,
}


class Body(nn.Module, ABC):
    """Turns looks ``(streams, n, in)`` and a memory into hidden values ``(streams, n, width)``."""

    remembers = False
    width: int

    def fresh(self, streams: int) -> Memory:
        """Return the memory of so many films that are about to begin."""
        return ()

    @abstractmethod
    def forward(self, looks: torch.Tensor, memory: Memory) -> tuple[torch.Tensor, Memory]:
        """Return hidden values, and the memory with which to go on."""


class Dropout(nn.Module):
    """Dropout (Srivastava et al. 2014), also where a process has only some of a step's rows.

    It draws for all rows, the first dimension, and takes its own: several processes that draw from
    the same seed drop what one would.

    Attributes
    ----------
    rows : int, optional
        How many rows all processes have; None is those that are given.
    taken : slice
        Which of them are given.
    """

    def __init__(self, share: float) -> None:
        super().__init__()
        self.share = share
        self.rows: int | None = None
        self.taken = slice(None)

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        """Return values, while it learns a share of them 0 and the rest scaled up for it."""
        if not (self.training and self.share):
            return values
        rows = len(values) if self.rows is None else self.rows
        kept = values.new_empty(rows, *values.shape[1:]).bernoulli_(1 - self.share)
        return values * kept[self.taken].div_(1 - self.share)


class Layer(nn.Module):
    """Linear, normalised if asked for, active; added to what entered if that is as wide."""

    def __init__(self, before: int, after: int, asked: Mlp | Rnn | Tcn) -> None:
        super().__init__()
        self.linear = nn.Linear(before, after)
        self.norm = nn.LayerNorm(after) if asked.normalise else nn.Identity()
        self.activation = _ACTIVATIONS[asked.activation]()
        self.dropout = Dropout(asked.dropout)
        self.adds = asked.residual and before == after

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        """Turn ``(..., before)`` into ``(..., after)``."""
        out: torch.Tensor = self.dropout(self.activation(self.norm(self.linear(values))))
        return values + out if self.adds else out


class Feedforward(Body):
    """Layers of the widths that ``asked.hidden`` says; remembers nothing."""

    def __init__(self, asked: Mlp | Rnn | Tcn, inputs: int) -> None:
        super().__init__()
        widths = [inputs, *asked.hidden]
        self.layers = nn.ModuleList(
            Layer(before, after, asked) for before, after in pairwise(widths)
        )
        self.width = widths[-1]

    def forward(self, looks: torch.Tensor, memory: Memory) -> tuple[torch.Tensor, Memory]:
        """Each moment by itself."""
        for layer in self.layers:
            looks = layer(looks)
        return looks, memory


class Recurrent(Body):
    """Gated recurrent units (Cho et al. 2014) or long short-term memory (Hochreiter et al. 1997).

    Their last layer's values come beside those of the feed-forward layers that they remember.
    """

    remembers = True

    def __init__(self, asked: Rnn, encoder: Feedforward) -> None:
        super().__init__()
        self.encoder = encoder
        widths = [encoder.width, *asked.memory]
        kind = nn.GRU if asked.cell == "gru" else nn.LSTM
        self.cells = nn.ModuleList(
            kind(before, after, batch_first=True) for before, after in pairwise(widths)
        )
        self.dropout = Dropout(asked.dropout)
        self.remembered = asked.memory
        self.parts = 1 if asked.cell == "gru" else 2
        self.width = encoder.width + widths[-1]

    def fresh(self, streams: int) -> Memory:
        """Return zeros."""
        weights = next(self.cells.parameters())
        return tuple(
            weights.new_zeros(streams, width)
            for width in self.remembered
            for _ in range(self.parts)
        )

    def forward(self, looks: torch.Tensor, memory: Memory) -> tuple[torch.Tensor, Memory]:
        """Remember, moment by moment."""
        encoded, _ = self.encoder(looks, ())
        values, after = encoded, []
        for number, cell in enumerate(self.cells):
            state = [part[None] for part in memory[number * self.parts :][: self.parts]]
            with torch.autocast(values.device.type, enabled=False):  # half the time on processors
                values, state = cell(values.float(), state[0] if self.parts == 1 else tuple(state))
            after += [state[0]] if self.parts == 1 else [part[0] for part in state]
            values = self.dropout(values)
        return torch.cat([encoded, values], 2), tuple(after)


class Convolutional(Body):
    """Causal convolutions over time, each over moments twice as far apart as the one before.

    Each adds to what entered it. Memory is what the longest of them still need of the past.
    """

    remembers = True

    def __init__(self, asked: Tcn, encoder: Feedforward) -> None:
        super().__init__()
        self.encoder = encoder
        self.enter = nn.Linear(encoder.width, asked.channels)
        self.convolutions = nn.ModuleList(
            nn.Conv1d(asked.channels, asked.channels, asked.kernel, dilation=2**number)
            for number in range(asked.layers)
        )
        self.activation = _ACTIVATIONS[asked.activation]()
        self.dropout = Dropout(asked.dropout)
        self.reaches = [(asked.kernel - 1) * 2**number for number in range(asked.layers)]
        self.width = encoder.width + asked.channels

    def fresh(self, streams: int) -> Memory:
        """Return zeros."""
        weights = self.enter.weight
        return tuple(weights.new_zeros(streams, len(weights), reach) for reach in self.reaches)

    def forward(self, looks: torch.Tensor, memory: Memory) -> tuple[torch.Tensor, Memory]:
        """Look back as far as each convolution reaches."""
        encoded, _ = self.encoder(looks, ())
        values, after = self.enter(encoded).movedim(1, 2), []
        for convolution, past in zip(self.convolutions, memory, strict=True):
            whole = torch.cat([past, values], 2)
            after.append(whole[:, :, -past.shape[2] :])
            values = values + self.dropout(self.activation(convolution(whole)))
        return torch.cat([encoded, values.movedim(1, 2)], 2), tuple(after)


class Glancing(Body):
    """A body and, beside it, its glance: a small network that sees only how much light there is.

    Takes what `Eyes` give, the light last, and gives the body's hidden values, then the glance's.
    The glance is not learned with the rest: it is silent until `frame2sound.training.brightness_branch`
    teaches it.

    Parameters
    ----------
    body : Body
        Sees all but the light.
    width : int
        Hidden units of the glance's two layers.
    """

    def __init__(self, body: Body, width: int) -> None:
        super().__init__()
        self.body = body
        self.remembers = body.remembers
        self.glance = nn.Sequential(
            nn.Linear(LIGHT, width), nn.ReLU(), nn.Linear(width, width), nn.ReLU()
        )
        for tensor in self.glance.parameters():
            nn.init.zeros_(tensor.requires_grad_(False))
        self.width = body.width + width

    def fresh(self, streams: int) -> Memory:
        """Return the body's."""
        return self.body.fresh(streams)

    def forward(self, looks: torch.Tensor, memory: Memory) -> tuple[torch.Tensor, Memory]:
        """Show the body all but the light, and the glance nothing else."""
        hidden, memory = self.body(looks[..., :-LIGHT], memory)
        return torch.cat([hidden, self.glance(looks[..., -LIGHT:])], 2), memory
