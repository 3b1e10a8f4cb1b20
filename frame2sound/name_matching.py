"""Find what a typed name means, or the known names that are spelt most like it."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

from frame2sound.errors import Frame2SoundError

MAX_SUGGESTIONS = 3
MIN_SIMILARITY = 0.6
"""Similarity, 0 to 1, from which a known name counts as a misspelling."""


def near_names(name: str, known: Iterable[str], min_similarity: float = 0.3) -> list[str]:
    """Return up to three known names that are spelt most like a name, the nearest first."""
    return get_close_matches(name, list(known), MAX_SUGGESTIONS, min_similarity)


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return "did you mean NAME?" for a misspelt name, or an empty text if no name is near.

    Examples
    --------
    >>> did_you_mean("epoch", ["batch", "epochs"])
    'did you mean epochs?'
    """
    near = near_names(name, known, MIN_SIMILARITY)
    return f"did you mean {near[0]}?" if near else ""


def match_film_name(
    name: str, known: Iterable[str], owner: str, error: type[Frame2SoundError]
) -> str:
    """Return the film with this name, or the only film whose name begins with it.

    Parameters
    ----------
    owner : str
        Whose films they are, for the message, such as "of library".

    Raises
    ------
    error
        No film matches, or several begin with the name.
    """
    names = list(known)
    if name in names:
        return name
    matches = [each for each in names if name and each.startswith(name)]
    if len(matches) == 1:
        return matches[0]
    if matches:
        raise error(
            f"got {name!r}, expected one film {owner}, but {len(matches)} names begin with it; "
            f"choose one of: {', '.join(matches)}"
        )
    if not names:
        raise error(f"got {name!r}, expected a film {owner}, which has no films")
    near = near_names(name, names) or names[:MAX_SUGGESTIONS]
    raise error(f"got {name!r}, expected a film {owner}; the nearest are: {', '.join(near)}")
