"""Backbones: the trained layers of a network before its head; some of them are recurrent."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from itertools import pairwise

import torch
from torch import nn

from frame2sound.brain.config import Mlp, Rnn, Tcn
from frame2sound.brain.frame_encoding import BRIGHTNESS_COUNT

State = tuple[torch.Tensor, ...]
"""The recurrent state between two chunks of a film; each tensor is ``(streams, ...)``."""

_ACTIVATIONS: dict[str, type[nn.Module]] = {
    "relu": nn.ReLU,
    "logistic": nn.Sigmoid,
    "tanh": nn.Tanh,
}


class Backbone(nn.Module, ABC):
    """Maps features ``(streams, n, in)`` and a state to hidden values ``(streams, n, width)``."""

    is_recurrent = False
    width: int

    def initial_state(self, streams: int) -> State:
        """Return the state of ``streams`` films before their first frame."""
        return ()

    @abstractmethod
    def forward(self, features: torch.Tensor, state: State) -> tuple[torch.Tensor, State]:
        """Return the hidden values and the state after the last frame."""


class Dropout(nn.Module):
    """Dropout (Srivastava et al. 2014) that several processes can share.

    The mask is drawn for all rows of a batch, and a process applies its own rows of it. Processes
    with the same seed therefore drop the same values as one process with the whole batch.

    Attributes
    ----------
    total_rows : int, optional
        Rows of the batch over all processes; None if this process has the whole batch.
    own_rows : slice
        The rows of this process.
    """

    def __init__(self, probability: float) -> None:
        super().__init__()
        self.probability = probability
        self.total_rows: int | None = None
        self.own_rows = slice(None)

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        """Return the values; in training mode, with a share set to 0 and the rest scaled up."""
        if not (self.training and self.probability):
            return values
        rows = len(values) if self.total_rows is None else self.total_rows
        kept = _random_mask((rows, *values.shape[1:]), 1 - self.probability, values.device)
        mask = kept[self.own_rows].to(values.dtype)
        return values * mask.mul_(1 / (1 - self.probability))


def _random_mask(shape: tuple[int, ...], share: float, device: torch.device) -> torch.Tensor:
    """Return a mask that is true for a share of its elements, below 1, to within 1/65536.

    Each element takes 16 bits of a random number of 64: a quarter of the time of Bernoulli draws.
    """
    count = math.prod(shape)
    numbers = torch.empty(-(-count // 4), dtype=torch.int64, device=device)
    bits = numbers.random_(-(2**63), None).view(torch.int16)[:count]
    return (bits < min(round(share * 2**16), 2**16 - 1) - 2**15).view(shape)


class Layer(nn.Module):
    """Linear, optional LayerNorm, activation, dropout; residual if the widths match."""

    def __init__(self, inputs: int, outputs: int, config: Mlp | Rnn | Tcn) -> None:
        super().__init__()
        self.linear = nn.Linear(inputs, outputs)
        self.norm = nn.LayerNorm(outputs) if config.normalise else nn.Identity()
        self.activation = _ACTIVATIONS[config.activation]()
        self.dropout = Dropout(config.dropout)
        self.is_residual = config.residual and inputs == outputs

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        """Map ``(..., inputs)`` to ``(..., outputs)``."""
        out: torch.Tensor = self.dropout(self.activation(self.norm(self.linear(values))))
        return values + out if self.is_residual else out


class Feedforward(Backbone):
    """Layers with the widths of ``config.hidden``; not recurrent."""

    def __init__(self, config: Mlp | Rnn | Tcn, inputs: int) -> None:
        super().__init__()
        widths = [inputs, *config.hidden]
        self.layers = nn.ModuleList(
            Layer(before, after, config) for before, after in pairwise(widths)
        )
        self.width = widths[-1]

    def forward(self, features: torch.Tensor, state: State) -> tuple[torch.Tensor, State]:
        """Map each frame by itself."""
        for layer in self.layers:
            features = layer(features)
        return features, state


class Recurrent(Backbone):
    """Gated recurrent units (Cho et al. 2014) or long short-term memory (Hochreiter et al. 1997).

    The hidden values are those of the feed-forward encoder followed by those of the last cell.
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
        """Run the cells over the frames in order."""
        encoded, _ = self.encoder(features, ())
        values, new_state = encoded, []
        count = self.states_per_cell
        for number, cell in enumerate(self.cells):
            parts = [part[None] for part in state[number * count :][:count]]
            # On processors, autocast would double the time of the cells.
            with torch.autocast(values.device.type, enabled=False):
                values, parts = cell(values.float(), parts[0] if count == 1 else tuple(parts))
            new_state += [parts[0]] if count == 1 else [part[0] for part in parts]
            values = self.dropout(values)
        return torch.cat([encoded, values], 2), tuple(new_state)


class Convolutional(Backbone):
    """Causal convolutions over time with doubling dilation, each with a residual connection.

    The state holds the past frames that each convolution still needs.
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
            weights.new_zeros(streams, len(weights), frames) for frames in self.receptive_fields
        )

    def forward(self, features: torch.Tensor, state: State) -> tuple[torch.Tensor, State]:
        """Run the convolutions over the past in the state and the new frames."""
        encoded, _ = self.encoder(features, ())
        values, new_state = self.input_layer(encoded).movedim(1, 2), []
        for convolution, past in zip(self.convolutions, state, strict=True):
            sequence = torch.cat([past, values], 2)
            new_state.append(sequence[:, :, -past.shape[2] :])
            values = values + self.dropout(self.activation(convolution(sequence)))
        return torch.cat([encoded, values.movedim(1, 2)], 2), tuple(new_state)


class WithBrightnessBranch(Backbone):
    """A backbone and a brightness branch: a small network that sees only the overall brightness.

    Takes the output of `FrameFeatures`, whose last values are the brightness. The hidden values are
    those of the backbone followed by those of the branch. Gradient descent does not train the
    branch: its weights are 0 until `frame2sound.training.brightness_branch` sets them.

    Parameters
    ----------
    backbone : Backbone
        Sees all features but the brightness.
    width : int
        Hidden units in each of the branch's two layers.
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
        """Return the initial state of the backbone."""
        return self.backbone.initial_state(streams)

    def forward(self, features: torch.Tensor, state: State) -> tuple[torch.Tensor, State]:
        """Pass the brightness to the branch and all other features to the backbone."""
        hidden, state = self.backbone(features[..., :-BRIGHTNESS_COUNT], state)
        branch = self.brightness_branch(features[..., -BRIGHTNESS_COUNT:])
        return torch.cat([hidden, branch], 2), state
