"""Bodies: the part of a network that is learned, but for its top; some of them remember."""

from __future__ import annotations

from abc import ABC, abstractmethod
from itertools import pairwise

import torch
from torch import nn

from frame2sound.brain.config import Mlp, Rnn, Tcn
from frame2sound.brain.features import BRIGHTNESS_COUNT

State = tuple[torch.Tensor, ...]
"""What is carried from one piece of film to the next, each tensor ``(streams, ...)``."""

_ACTIVATIONS: dict[str, type[nn.Module]] = {
    "relu": nn.ReLU,
    "logistic": nn.Sigmoid,
    "tanh": nn.Tanh,
}


class Backbone(nn.Module, ABC):
    """Turns looks ``(streams, n, in)`` and a memory into hidden values ``(streams, n, width)``."""

    is_recurrent = False
    width: int

    def initial_state(self, streams: int) -> State:
        """Return the memory of so many films that are about to begin."""
        return ()

    @abstractmethod
    def forward(self, features: torch.Tensor, state: State) -> tuple[torch.Tensor, State]:
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

    def __init__(self, probability: float) -> None:
        super().__init__()
        self.probability = probability
        self.total_rows: int | None = None
        self.own_rows = slice(None)

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        """Return values, while it learns a share of them 0 and the rest scaled up for it."""
        if not (self.training and self.probability):
            return values
        rows = len(values) if self.total_rows is None else self.total_rows
        kept = values.new_empty(rows, *values.shape[1:]).bernoulli_(1 - self.probability)
        return values * kept[self.own_rows].div_(1 - self.probability)


class Layer(nn.Module):
    """Linear, normalised if asked for, active; added to what entered if that is as wide."""

    def __init__(self, inputs: int, outputs: int, config: Mlp | Rnn | Tcn) -> None:
        super().__init__()
        self.linear = nn.Linear(inputs, outputs)
        self.norm = nn.LayerNorm(outputs) if config.normalise else nn.Identity()
        self.activation = _ACTIVATIONS[config.activation]()
        self.dropout = Dropout(config.dropout)
        self.is_residual = config.residual and inputs == outputs

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        """Turn ``(..., before)`` into ``(..., after)``."""
        out: torch.Tensor = self.dropout(self.activation(self.norm(self.linear(values))))
        return values + out if self.is_residual else out


class Feedforward(Backbone):
    """Layers of the widths that ``asked.hidden`` says; remembers nothing."""

    def __init__(self, config: Mlp | Rnn | Tcn, inputs: int) -> None:
        super().__init__()
        widths = [inputs, *config.hidden]
        self.layers = nn.ModuleList(
            Layer(before, after, config) for before, after in pairwise(widths)
        )
        self.width = widths[-1]

    def forward(self, features: torch.Tensor, state: State) -> tuple[torch.Tensor, State]:
        """Each moment by itself."""
        for layer in self.layers:
            features = layer(features)
        return features, state


class Recurrent(Backbone):
    """Gated recurrent units (Cho et al. 2014) or long short-term memory (Hochreiter et al. 1997).

    Their last layer's values come beside those of the feed-forward layers that they remember.
    """

    is_recurrent = True

    def __init__(self, config: Rnn, encoder: Feedforward) -> None:
        super().__init__()
        self.encoder = encoder
        widths = [encoder.width, *config.memory]
        kind = nn.GRU if config.cell == "gru" else nn.LSTM
        self.cells = nn.ModuleList(
            kind(before, after, batch_first=True) for before, after in pairwise(widths)
        )
        self.dropout = Dropout(config.dropout)
        self.state_widths = config.memory
        self.states_per_cell = 1 if config.cell == "gru" else 2
        self.width = encoder.width + widths[-1]

    def initial_state(self, streams: int) -> State:
        """Return zeros."""
        weights = next(self.cells.parameters())
        return tuple(
            weights.new_zeros(streams, width)
            for width in self.state_widths
            for _ in range(self.states_per_cell)
        )

    def forward(self, features: torch.Tensor, state: State) -> tuple[torch.Tensor, State]:
        """Remember, moment by moment."""
        encoded, _ = self.encoder(features, ())
        values, after = encoded, []
        count = self.states_per_cell
        for number, cell in enumerate(self.cells):
            own = [part[None] for part in state[number * count :][:count]]
            with torch.autocast(values.device.type, enabled=False):  # half the time on processors
                values, own = cell(values.float(), own[0] if count == 1 else tuple(own))
            after += [own[0]] if count == 1 else [part[0] for part in own]
            values = self.dropout(values)
        return torch.cat([encoded, values], 2), tuple(after)


class Convolutional(Backbone):
    """Causal convolutions over time, each over moments twice as far apart as the one before.

    Each adds to what entered it. Memory is what the longest of them still need of the past.
    """

    is_recurrent = True

    def __init__(self, config: Tcn, encoder: Feedforward) -> None:
        super().__init__()
        self.encoder = encoder
        self.input_layer = nn.Linear(encoder.width, config.channels)
        self.convolutions = nn.ModuleList(
            nn.Conv1d(config.channels, config.channels, config.kernel, dilation=2**number)
            for number in range(config.layers)
        )
        self.activation = _ACTIVATIONS[config.activation]()
        self.dropout = Dropout(config.dropout)
        self.receptive_fields = [(config.kernel - 1) * 2**number for number in range(config.layers)]
        self.width = encoder.width + config.channels

    def initial_state(self, streams: int) -> State:
        """Return zeros."""
        weights = self.input_layer.weight
        return tuple(
            weights.new_zeros(streams, len(weights), reach) for reach in self.receptive_fields
        )

    def forward(self, features: torch.Tensor, state: State) -> tuple[torch.Tensor, State]:
        """Look back as far as each convolution reaches."""
        encoded, _ = self.encoder(features, ())
        values, after = self.input_layer(encoded).movedim(1, 2), []
        for convolution, past in zip(self.convolutions, state, strict=True):
            whole = torch.cat([past, values], 2)
            after.append(whole[:, :, -past.shape[2] :])
            values = values + self.dropout(self.activation(convolution(whole)))
        return torch.cat([encoded, values.movedim(1, 2)], 2), tuple(after)


class WithBrightnessBranch(Backbone):
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

    def __init__(self, backbone: Backbone, width: int) -> None:
        super().__init__()
        self.backbone = backbone
        self.is_recurrent = backbone.is_recurrent
        self.brightness_branch = nn.Sequential(
            nn.Linear(BRIGHTNESS_COUNT, width), nn.ReLU(), nn.Linear(width, width), nn.ReLU()
        )
        for tensor in self.brightness_branch.parameters():
            nn.init.zeros_(tensor.requires_grad_(False))
        self.width = backbone.width + width

    def initial_state(self, streams: int) -> State:
        """Return the body's."""
        return self.backbone.initial_state(streams)

    def forward(self, features: torch.Tensor, state: State) -> tuple[torch.Tensor, State]:
        """Show the body all but the light, and the glance nothing else."""
        hidden, state = self.backbone(features[..., :-BRIGHTNESS_COUNT], state)
        return torch.cat(
            [hidden, self.brightness_branch(features[..., -BRIGHTNESS_COUNT:])], 2
        ), state
