"""A recurrent network that predicts the next token, and knows which films it plays."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from frame2sound.dreaming.tokens import BANDS

FILM_VALUES, HIDDEN = 16, 96
"""Sizes of the embedding of a film, and of the hidden state."""

DROPOUT = 0.3

SHARPNESS = 0.25
"""What products with embeddings are multiplied by, so that untrained logits are small."""


class TokenNetwork(nn.Module):
    """A gated recurrent unit (Cho et al. 2014) over embeddings of tokens and of films.

    The embedding of a token begins as its spectrum, and serves for what comes in and what goes out
    (Press and Wolf 2017), so that what is learned of one token holds for those that sound like it.
    Several films at once have the mean of their embeddings, by their weights.

    Parameters
    ----------
    codes, films : int
        Numbers of different tokens and of films.
    spectra : float32 array (codes, 48), optional
        What the tokens stand for, in dB.
    """

    def __init__(self, codes: int, films: int, spectra: NDArray[np.float32] | None = None) -> None:
        super().__init__()
        self.code_embedding = nn.Embedding(codes, BANDS)
        self.film_embedding = nn.Linear(films, FILM_VALUES, bias=False)
        self.recurrent = nn.GRU(BANDS + FILM_VALUES, HIDDEN, batch_first=True)
        self.head = nn.Linear(HIDDEN + FILM_VALUES, BANDS)
        self.bias = nn.Parameter(torch.zeros(codes))
        self.dropout = nn.Dropout(DROPOUT)
        if spectra is not None:
            centred = spectra - spectra.mean(axis=0)
            scaled = centred / max(float(centred.std()), 1e-6)
            with torch.no_grad():
                self.code_embedding.weight.copy_(torch.from_numpy(scaled))

    def forward(
        self, tokens: Tensor, style: Tensor, state: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Return the logits of each next token, ``(batch, n, codes)``, and the last state.

        Parameters
        ----------
        tokens : int64 tensor (batch, n)
        style : float32 tensor (batch, films)
            Weights of the films, which add to 1.
        state : float32 tensor (1, batch, 96), optional
            What was returned for the tokens before.
        """
        film = self.film_embedding(style)[:, None].expand(-1, tokens.shape[1], -1)
        inputs = torch.cat([self.dropout(self.code_embedding(tokens)), film], dim=2)
        hidden, state = self.recurrent(inputs, state)
        wanted = self.head(torch.cat([self.dropout(hidden), film], dim=2))
        return SHARPNESS * wanted @ self.code_embedding.weight.T + self.bias, state
