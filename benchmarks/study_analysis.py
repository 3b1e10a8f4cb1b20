"""Analysis of the study: figures of films and differences of arms with films as units.

A film's figure of an arm is computed from all its blocks, and averaged over seeds on the scale of
the measure (Fisher's z for correlations). Differences are taken within films; their mean has a t
interval over films, which `PLAN.md` names before the study runs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from study_cells import BASELINES
from study_design import PRIMARY_ARMS, Design
from study_power import LEVEL, Power
from study_results import NO_SEED, Sums, cells, csv_path

from frame2sound.comparison.block_stats import STATISTICS
from frame2sound.comparison.intervals import mean_interval
from frame2sound.comparison.verdicts import holm

Values = NDArray[np.float64]

ENVELOPE, DISTANCE, ONSETS, PITCH = (
    "envelope_correlation",
    "spectral_distance_db",
    "onset_f",
    "pitch",
)
MEASURES = (ENVELOPE, DISTANCE, ONSETS, PITCH)
MARGINS = {ENVELOPE: 0.05, DISTANCE: 0.3}
"""Differences within these, of correlations and in dB, count as none."""

MIN_SEEDS = 3
"""A film counts for an arm if so many of its trainings did not fail."""


@dataclass(frozen=True)
class Contrast:
    """A sum of figures with signs, within each film: the same in all films."""

    name: str
    measure: str
    terms: tuple[tuple[int, str, int], ...]
    """Sign, arm and learned seconds of each."""


def _minus(ours: str, theirs: str, measure: str, seconds: int) -> Contrast:
    name = f"{ours} minus {theirs}, {seconds} s"
    return Contrast(name, measure, ((1, ours, seconds), (-1, theirs, seconds)))


def _length_times_depth(measure: str) -> Contrast:
    terms = ((1, "deep", 60), (-1, "wide", 60), (-1, "deep", 20), (1, "wide", 20))
    return Contrast("deep minus wide, 60 s minus 20 s", measure, terms)


PRIMARY = tuple(_minus("deep", "wide", measure, 60) for measure in (ENVELOPE, DISTANCE))
"""The primary difference, and the co-primary one."""

IN_ONSETS = _minus("deep", "wide", ONSETS, 60)

SECONDARY = (
    *(_length_times_depth(measure) for measure in (ENVELOPE, DISTANCE)),
    *(_minus("deep", "wide", measure, 20) for measure in (ENVELOPE, DISTANCE)),
    *(_minus("wide", "shallow", measure, 60) for measure in (ENVELOPE, DISTANCE)),
    *(_minus("deep", "shallow", measure, 60) for measure in (ENVELOPE, DISTANCE)),
    *(_minus("deep past", "wide past", measure, 60) for measure in (ENVELOPE, DISTANCE)),
    *(_minus("memory", "deep past", measure, 60) for measure in (ENVELOPE, DISTANCE)),
    *(_minus("deep head", "deep", measure, 60) for measure in (ENVELOPE, DISTANCE)),
    IN_ONSETS,
    _minus("deep head", "deep", ONSETS, 60),
)
"""One family: its p values are corrected by Holm's method."""


BESIDE_NEAREST = tuple(
    _minus(arm, "nearest", measure, seconds)
    for seconds in (60, 20)
    for arm in ("wide", "deep")
    for measure in (ENVELOPE, DISTANCE, ONSETS)
)
"""Described beside the tests: what brains add to the nearest frame that was learned."""


@dataclass(frozen=True)
class Mean:
    """A mean over units, with its t intervals and the p value of "it is 0"."""

    value: float
    units: int
    sd: float
    interval: tuple[float, float]
    interval_90: tuple[float, float]
    p: float

    @classmethod
    def of(cls, values: Sequence[float] | Values) -> Mean:
        """Return the mean of two or more values; those that are not finite count for nothing."""
        known = np.asarray(values, np.float64)
        known = known[np.isfinite(known)]
        if len(known) < 2:
            raise ValueError(f"got {len(known)} films with a figure, expected two or more")
        wide, narrow = (mean_interval(known, confidence_level=level) for level in (0.95, 0.9))
        return cls(
            wide.value,
            len(known),
            float(known.std(ddof=1)),
            (wide.low, wide.high),
            (narrow.low, narrow.high),
            wide.p_value,
        )

    def is_within(self, margin: float) -> bool:
        """Whether both one-sided tests at 5 % say that it is nearer to 0 than a margin."""
        low, high = self.interval_90
        return -margin < low and high < margin


@dataclass(frozen=True)
class Means:
    """The means of a contrast over units.

    Attributes
    ----------
    tested : Mean
        On the scale on which the measure is averaged (Fisher's z for correlations).
    shown : Mean
        Of the measure itself.
    adjusted_p : float
        Of the tested one, after Holm's correction within its family.
    """

    tested: Mean
    shown: Mean
    adjusted_p: float = 1.0

    @property
    def is_clear(self) -> bool:
        """Whether it differs from 0 after the correction."""
        return self.adjusted_p < LEVEL


@dataclass(frozen=True)
class Difference:
    """What the films say of a contrast, and what their laws do.

    Attributes
    ----------
    contrast : Contrast
    films : Means
        With films as units.
    laws : Means
        With the means of the laws' films as units: films of one law are alike.
    """

    contrast: Contrast
    films: Means
    laws: Means

    @property
    def is_clear(self) -> bool:
        """Whether it differs from 0 over films, after the correction."""
        return self.films.is_clear

    @property
    def is_none(self) -> bool:
        """Whether it is equivalent to none: its 90 % interval over films is within the margin."""
        return self.is_none_over(self.films)

    @property
    def laws_agree(self) -> bool:
        """Whether laws as units say the same: clear, within the margin, or neither."""
        return (self.is_clear, self.is_none) == (self.laws.is_clear, self.is_none_over(self.laws))

    def is_none_over(self, means: Means) -> bool:
        """Whether the 90 % interval over some units is within the margin."""
        margin = MARGINS.get(self.contrast.measure)
        return margin is not None and means.shown.is_within(margin)


@dataclass(frozen=True)
class Report:
    """What can be said of results: all of it once they are complete, and before only how many.

    Attributes
    ----------
    complete_films, films : int
        Films all of whose cells of the primary arms are there, and all films.
    missing : tuple of str
        Secondary arms, with the seconds learned, that some film still lacks; they are not shown.
    figures : dict
        By seconds, arm and measure: the mean over films and the number of films.
    primary, secondary : tuple of Difference
    beside_nearest : tuple of Difference
    power : dict of Power
        By primary contrast.
    laws : dict
        By law: the differences of its films in each primary contrast, as shown.
    failures : int
        Trainings that failed.
    cpu_seconds : dict
        By seconds and arm: the median time of a training on one core; some of the first seeds'
        times hold that of reading the film, too.
    """

    complete_films: int
    films: int
    missing: tuple[str, ...] = ()
    figures: dict[tuple[int, str, str], tuple[float, int]] = field(default_factory=dict)
    primary: tuple[Difference, ...] = ()
    secondary: tuple[Difference, ...] = ()
    beside_nearest: tuple[Difference, ...] = ()
    power: dict[Contrast, Power] = field(default_factory=dict)
    laws: dict[str, tuple[Values, ...]] = field(default_factory=dict)
    failures: int = 0
    cpu_seconds: dict[tuple[int, str], float] = field(default_factory=dict)

    @property
    def is_complete(self) -> bool:
        """Whether all films have the primary arms."""
        return self.complete_films == self.films


Cells = Mapping[tuple[str, int], Mapping[tuple[str, int], Sums]]
"""Sums by film and seconds, then by arm and seed."""

FilmFigures = Mapping[tuple[str, int, str, str], float]
"""Figures by film, seconds, arm and measure, on the measure's scale for means."""


def analyse(design: Design, folder: Path) -> Report:
    """Return what the results in a folder say of a design."""
    loaded = load(design, folder)
    arms = [arm for group in design.arms for arm in group]
    lacking = {
        (arm, seconds): _films_without(arm, seconds, design, loaded)
        for arm in (*arms, *BASELINES)
        for seconds in design.lengths
    }
    needed = {*PRIMARY_ARMS, *BASELINES}
    incomplete = {film for (arm, _), films in lacking.items() if arm in needed for film in films}
    complete = len(design.films) - len(incomplete)
    if incomplete:
        return Report(complete, len(design.films))
    known = {cell for cell, films in lacking.items() if not films}
    figures = {
        (film, seconds, arm, measure): value
        for (film, seconds, arm, measure), value in film_figures(
            loaded, (*arms, *BASELINES)
        ).items()
        if (arm, seconds) in known
    }
    law_of = {film.name: film.law for film in design.films}
    return Report(
        complete,
        len(design.films),
        tuple(f"{arm}, {seconds} s" for arm, seconds in lacking if (arm, seconds) not in known),
        mean_figures(figures),
        family(figures, PRIMARY, law_of),
        family(figures, SECONDARY, law_of, len(SECONDARY)),
        family(figures, BESIDE_NEAREST, law_of),
        power(figures, len(design.films)),
        by_law(figures, law_of),
        sum(not sums for table in loaded.values() for sums in table.values()),
        _cpu_seconds(loaded),
    )


def _films_without(arm: str, seconds: int, design: Design, loaded: Cells) -> list[str]:
    """Return the films that lack a cell of an arm or a baseline."""
    seeds = (NO_SEED,) if arm in BASELINES else range(design.seeds)
    wanted = {(arm, seed) for seed in seeds}
    return [film.name for film in design.films if not wanted <= loaded[film.name, seconds].keys()]


def load(design: Design, folder: Path) -> Cells:
    """Return the sums of all cells in a folder, by film and seconds, then by arm and seed."""
    return {
        (film.name, seconds): cells(csv_path(folder, film.name, seconds))
        for film in design.films
        for seconds in design.lengths
    }


def film_figures(loaded: Cells, arms: Sequence[str]) -> dict[tuple[str, int, str, str], float]:
    """Return figures of films, averaged over seeds on the scale of each measure."""
    found: dict[tuple[str, int, str, str], float] = {}
    for (film, seconds), table in loaded.items():
        for arm in arms:
            runs = [sums for (name, _), sums in table.items() if name == arm]
            known = [sums for sums in runs if sums]
            if len(known) < min(MIN_SEEDS, len(runs)):
                continue
            for measure in MEASURES:
                statistic = STATISTICS[measure]
                values = np.array([statistic(s[measure].sum(0)) for s in known if measure in s])
                if len(values) and np.isfinite(values).all():
                    scaled = statistic.to_mean_scale(values)
                    found[film, seconds, arm, measure] = float(scaled.mean())
    return found


def mean_figures(figures: FilmFigures) -> dict[tuple[int, str, str], tuple[float, int]]:
    """Return means over films, and of how many, back on the measures' own scale."""
    found: dict[tuple[int, str, str], list[float]] = {}
    for (_, seconds, arm, measure), value in figures.items():
        found.setdefault((seconds, arm, measure), []).append(value)
    return {
        key: (float(STATISTICS[key[2]].from_mean_scale(np.array(np.mean(values)))), len(values))
        for key, values in found.items()
    }


def contrast_by_film(
    figures: FilmFigures, contrast: Contrast, *, as_shown: bool = False
) -> dict[str, float]:
    """Return a contrast within each film that has all its figures."""
    scale = STATISTICS[contrast.measure].from_mean_scale
    found = {}
    for film in sorted({film for film, *_ in figures}):
        terms = [
            (sign, figures.get((film, seconds, arm, contrast.measure)))
            for sign, arm, seconds in contrast.terms
        ]
        if all(value is not None for _, value in terms):
            found[film] = float(
                sum(
                    sign * float(scale(np.array(value))) if as_shown else sign * float(value)
                    for sign, value in terms
                    if value is not None
                )
            )
    return found


def family(
    figures: FilmFigures,
    contrasts: Sequence[Contrast],
    law_of: Mapping[str, str],
    size: int | None = None,
) -> tuple[Difference, ...]:
    """Return the differences of one family of contrasts, corrected by Holm's method.

    Contrasts without figures are left out, and count in the correction as ``size`` says: the number
    of contrasts of the whole family.
    """
    known, films, laws = [], [], []
    for contrast in contrasts:
        scales = [contrast_by_film(figures, contrast, as_shown=shown) for shown in (False, True)]
        if len(scales[0]) < 2:
            continue
        known.append(contrast)
        films.append(Means(*(Mean.of(list(values.values())) for values in scales)))
        laws.append(Means(*(Mean.of(_means_of_laws(values, law_of)) for values in scales)))
    pairs = zip(_corrected(films, size), _corrected(laws, size), strict=True)
    return tuple(Difference(contrast, *pair) for contrast, pair in zip(known, pairs, strict=True))


def _means_of_laws(by_film: Mapping[str, float], law_of: Mapping[str, str]) -> list[float]:
    """Return the means of each law's films; the films themselves if all have one law."""
    laws: dict[str, list[float]] = {}
    for film, value in by_film.items():
        laws.setdefault(law_of[film], []).append(value)
    return (
        [float(np.mean(each)) for each in laws.values()] if len(laws) > 1 else [*by_film.values()]
    )


def _corrected(means: Sequence[Means], size: int | None) -> list[Means]:
    """Return means with corrected p values; those that a family of a size lacks count as 1."""
    lacking = (size or len(means)) - len(means)
    adjusted = holm([*(each.tested.p for each in means), *[1.0] * lacking])
    return [replace(each, adjusted_p=p) for each, p in zip(means, adjusted, strict=False)]


def by_law(figures: FilmFigures, law_of: Mapping[str, str]) -> dict[str, tuple[Values, ...]]:
    """Return the primary differences of each law's films, of the measures themselves."""
    found: dict[str, list[list[float]]] = {}
    for number, contrast in enumerate(PRIMARY):
        for film, value in contrast_by_film(figures, contrast, as_shown=True).items():
            parts = found.setdefault(law_of[film], [[] for _ in PRIMARY])
            parts[number].append(value)
    return {law: tuple(map(np.array, parts)) for law, parts in found.items()}


def without_law(laws: Mapping[str, tuple[Values, ...]], left_out: str, number: int) -> Mean | None:
    """Return the mean of a primary difference over the films of all laws but one."""
    values = [each for law, parts in laws.items() if law != left_out for each in parts[number]]
    return Mean.of(values) if len(values) > 1 else None


def _cpu_seconds(loaded: Cells) -> dict[tuple[int, str], float]:
    taken: dict[tuple[int, str], list[float]] = {}
    for (_, seconds), table in loaded.items():
        for (arm, _), sums in table.items():
            if "training_cpu_seconds" in sums:
                taken.setdefault((seconds, arm), []).append(sums["training_cpu_seconds"].item())
    return {key: float(np.median(values)) for key, values in taken.items()}


def power(figures: FilmFigures, films: int) -> dict[Contrast, Power]:
    """Return what so many films can show of the primary contrasts, with the spread of figures.

    At the level of the first step of Holm's correction, which the smaller p value must pass.
    """
    return {
        contrast: Power.of(
            list(contrast_by_film(figures, contrast).values()),
            list(contrast_by_film(figures, contrast, as_shown=True).values()),
            films,
            MARGINS[contrast.measure],
            LEVEL / len(PRIMARY),
        )
        for contrast in PRIMARY
    }


def power_of_development(design: Design, folder: Path, films: int) -> dict[Contrast, Power]:
    """Return the same with the spread over the films by which the study was developed."""
    return power(film_figures(load(design, folder), ("wide", "deep")), films)
