"""Verdicts on differences: when one may be given, of what it speaks, and how it is corrected."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from frame2sound.library.split import SplitKind

MIN_SEEDS = 5
"""Fewest seeds that allow a verdict on recipes.

One seed says nothing about others of the same recipe, and from three, neither the spread of brains
nor an interval can be told within a factor of two."""

SIGNIFICANCE_LEVEL = 0.05
"""Largest p-value, corrected where it must be, with which a difference is clear."""

PRIMARY_MEASURE = "envelope_correlation"
"""The measure by which a comparison of two recipes is decided; all others are secondary."""


def holm(p_values: Sequence[float]) -> list[float]:
    """Return p-values corrected for their number, so that any false verdict is as rare as one.

    Holm, "A simple sequentially rejective multiple test procedure", Scandinavian Journal of
    Statistics 6, 1979.

    >>> [round(p, 3) for p in holm([0.04, 0.01, 0.03])]
    [0.06, 0.03, 0.06]
    """
    corrected, largest = [1.0] * len(p_values), 0.0
    for rank, at in enumerate(sorted(range(len(p_values)), key=p_values.__getitem__)):
        largest = max(largest, min(1.0, (len(p_values) - rank) * p_values[at]))
        corrected[at] = largest
    return corrected


def no_verdict_reason(seeds: int) -> str | None:
    """Return why a number of seeds allows no verdict; None if it does.

    >>> no_verdict_reason(1), no_verdict_reason(5)
    ('one seed; train 5 or more', None)
    """
    if seeds >= MIN_SEEDS:
        return None
    trained = "one seed" if seeds == 1 else f"{seeds} seeds"
    return f"{trained}; train {MIN_SEEDS} or more"


UNKNOWN: Mapping[str, str] = MappingProxyType(
    {
        "onset_f": "no held-out film has events",
        "in_sync": "no held-out film's own sound is more in sync than when it is shifted",
        "envelope_correlation": "no held-out film's sound changes its level by 1 dB or more",
        "spectral_distance_db": "no held-out film has sound",
        "pitch": "no held-out film has pitch that is known",
        "judge": "the judge has no label of a held-out film",
    }
)
"""Why a difference in a measure cannot be said of any film."""


def population(kind: SplitKind, films: int, blocks: int) -> str:
    """Return for what a verdict holds, given the films and blocks of time that it rests on.

    >>> population("films", 10, 80)
    'for films like these 10, and other seeds'
    >>> population("films", 1, 15)
    'for this film only: other stretches of it, and other seeds'
    """
    if films > 1 and kind == "films":
        return f"for films like these {films}, and other seeds"
    if films > 1:
        return (
            f"for ends of films like these {films}, which are learned until then, and other seeds"
        )
    if blocks > 1:
        return "for this film only: other stretches of it, and other seeds"
    return "for these seconds of this film only, and other seeds"
