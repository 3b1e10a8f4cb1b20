"""How much of a sequence of tokens is copied from others, and how much it repeats itself."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from frame2sound.dreaming.tokens import Tokens


def copied_lengths(tokens: Tokens, films: Sequence[Tokens]) -> NDArray[np.int64]:
    """Return the length of the longest copied run that ends at each token, ``(n,)``."""
    source = np.concatenate([np.append(each, -1) for each in films])
    lengths = np.zeros(len(source), np.int64)
    longest = np.empty(len(tokens), np.int64)
    for at, token in enumerate(tokens.tolist()):
        lengths[1:] = np.where(source[1:] == token, lengths[:-1] + 1, 0)
        lengths[0] = source[0] == token
        longest[at] = lengths.max(initial=0)
    return longest


def verbatim_share(tokens: Tokens, films: Sequence[Tokens], length: int) -> float:
    """Return the share of tokens that lie in copied runs of at least so many tokens.

    Examples
    --------
    >>> import numpy as np
    >>> verbatim_share(np.array([0, 1, 2, 9, 1, 2]), [np.array([5, 0, 1, 2, 6])], 3)
    0.5
    """
    copied = np.zeros(len(tokens), np.bool_)
    for end, run in enumerate(copied_lengths(tokens, films).tolist()):
        if run >= length:
            copied[end + 1 - run : end + 1] = True
    return float(copied.mean()) if len(tokens) else 0.0


def distinct_share(tokens: Tokens, length: int) -> float:
    """Return how many different runs of so many tokens there are, as a share of all runs.

    Examples
    --------
    >>> import numpy as np
    >>> distinct_share(np.array([0, 1, 0, 1, 0]), 2)
    0.5
    """
    if len(tokens) < length:
        return 1.0
    runs = np.lib.stride_tricks.sliding_window_view(tokens, length)
    return len(np.unique(runs, axis=0)) / len(runs)
