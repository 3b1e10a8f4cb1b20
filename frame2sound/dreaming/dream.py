"""The whole way from what was learned to the sound of a dream."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from frame2sound.atomic import atomic_write
from frame2sound.dreaming.copied_sound import copied_share
from frame2sound.dreaming.copy_guard import CopyGuard
from frame2sound.dreaming.model import DreamModel
from frame2sound.dreaming.sampling import (
    Coverage,
    MixedPredictor,
    NetworkPredictor,
    NextToken,
    NGramPredictor,
    StyleShares,
    sample_tokens,
    style_shares,
)
from frame2sound.dreaming.sounding import by_phases, mosaic
from frame2sound.dreaming.sources import Sources
from frame2sound.dreaming.stretches import Stretch, find_stretches
from frame2sound.dreaming.tokens import RATE, TOKENS_PER_SECOND, Tokens, frame_levels, token_count
from frame2sound.dreaming.training import build_network
from frame2sound.dreaming.unit_choice import UnitChooser, wanted_films
from frame2sound.dreaming.units import TokenUnits, build_units
from frame2sound.errors import DreamError
from frame2sound.name_matching import match_film_name
from frame2sound.progress import ProgressCallback, ignore_progress
from frame2sound.rendering.output.finishing import limit
from frame2sound.sound.wav_file import open_wav

Sound = Literal["mosaic", "phases"]

CONTEXT_SECONDS = 4.0
"""How much of what was before a stage, or of a seed, the model is told."""


@dataclass(frozen=True)
class DreamChoice:
    """What a dream is asked to be.

    Attributes
    ----------
    seconds : float
    temperature : float
        Above 0.
    style : float array (films,) or None
        Weights of the films, which add to 1.
    most_copied_seconds : float or None
        Longest run that may be copied.
    stages : int
        How many stages of the training play, one after another, if there are so many; 1 is the
        best alone.
    sound : {"mosaic", "phases"}
    seed : int
    """

    seconds: float = 60.0
    temperature: float = 1.0
    style: NDArray[np.float64] | None = None
    most_copied_seconds: float | None = None
    stages: int = 1
    sound: Sound = "mosaic"
    seed: int = 0


@dataclass(frozen=True)
class Dream:
    """A dream: its tokens, its units, the number of tokens of each stage, and its stretches."""

    tokens: Tokens
    chosen: NDArray[np.int64]
    stages: tuple[int, ...]
    stretches: tuple[Stretch, ...]


class Dreamer:
    """Dreams of films.

    Parameters
    ----------
    model : DreamModel
    sources : Sources
        The films that it learned.

    Raises
    ------
    DreamError
        The films are others.
    """

    def __init__(self, model: DreamModel, sources: Sources) -> None:
        _refuse_other_films(model, sources)
        self.model, self.sources = model, sources
        self._films = [film.tokens for film in model.films]
        self.units: TokenUnits = build_units(sources, self._films, model.codebook.floor_db)

    def dream(
        self,
        choice: DreamChoice,
        start: NDArray[np.float32] | None = None,
        on_progress: ProgressCallback = ignore_progress,
    ) -> Dream:
        """Return a dream; ``start`` is mono sound at 22050 Hz that it goes on from.

        Raises
        ------
        DreamError
            Nothing but copies can be made.
        """
        rng = np.random.default_rng(choice.seed)
        shares = self._shares(choice)
        max_run = self._max_run(choice)
        parts: list[Tokens] = []
        predictors = self._predictors(choice)
        count = math.ceil(choice.seconds * TOKENS_PER_SECOND)
        ends = np.linspace(0, count, len(predictors) + 1).round().astype(int)
        context = None if start is None else self.model.codebook.encode(frame_levels(start))
        for predictor, length in zip(predictors, np.diff(ends).tolist(), strict=True):
            guard = self._guard(max_run)
            coverage = Coverage(self._usual(shares), self.model.codebook.distances)
            before = None if context is None else context[-token_count(CONTEXT_SECONDS) :]
            try:
                drawn = sample_tokens(
                    predictor, length, rng, temperature=choice.temperature, context=before,
                    shares=None if choice.style is None else shares, guard=guard,
                    coverage=coverage, on_progress=on_progress,
                )  # fmt: skip
            except ValueError as error:
                raise DreamError(
                    f"got films in which all frames sound alike ({error}); leave out `most_copied`"
                ) from error
            context = drawn if context is None else np.concatenate([context, drawn])
            parts.append(drawn)
        tokens = np.concatenate(parts)
        allowed = None if choice.style is None else shares.wanted > 0
        chooser = UnitChooser(
            self.units, self.model.codebook.distances, max_run, allowed, choice.seed
        )
        films = None if choice.style is None else wanted_films(tokens, shares, rng)
        chosen = chooser.choose(tokens, films, on_progress)
        lengths = tuple(map(len, parts))
        stretches = find_stretches(chosen, self.units, self.sources, lengths)
        return Dream(tokens, chosen, lengths, tuple(stretches))

    def sound(self, dream: Dream, choice: DreamChoice) -> NDArray[np.float32]:
        """Return the sound of a dream, ``(n,)`` or ``(n, 2)``, with peaks below -1 dBTP."""
        chunks: Iterator[NDArray[np.float32]]
        if choice.sound == "phases":
            chunks = by_phases(dream.chosen, self.units, self.sources, choice.seed)
        else:
            chunks = mosaic(dream.chosen, self.units, self.sources)
        rate = self.sample_rate(choice)
        made = np.concatenate([chunk for chunk in limit(chunks, rate) if len(chunk)])
        return made[: round(choice.seconds * rate)]

    def sample_rate(self, choice: DreamChoice) -> int:
        """Return that of the sound in Hz."""
        return RATE if choice.sound == "phases" else self.sources.format.sample_rate

    def copied_share(
        self,
        sound: NDArray[np.float32],
        sample_rate: int,
        on_progress: ProgressCallback = ignore_progress,
    ) -> float:
        """Return the share of a sound that is copied from the films, a second or more at a time."""
        mono = sound if sound.ndim == 1 else sound.mean(axis=1, dtype=np.float32)
        if sample_rate != RATE:
            from frame2sound.sound.resampler import resample

            count = len(mono) * RATE // sample_rate
            mono = np.concatenate(list(resample([mono], (sample_rate, RATE), 0, 0, count)))
        return copied_share(mono, [film.mono for film in self.sources.films], on_progress)

    def _shares(self, choice: DreamChoice) -> StyleShares:
        lengths = np.array([len(tokens) for tokens in self._films], np.float64)
        wanted = lengths / lengths.sum() if choice.style is None else choice.style
        return style_shares(self._films, len(self.model.codebook), wanted)

    def _usual(self, shares: StyleShares) -> NDArray[np.float64]:
        """Return the share of each token in the films, in the style that is asked for."""
        codes = len(self.model.codebook)
        counts = [np.bincount(tokens, minlength=codes) for tokens in self._films]
        rates = np.array([count / max(count.sum(), 1) for count in counts])
        return np.asarray(shares.wanted @ rates)

    def _predictors(self, choice: DreamChoice) -> list[NextToken]:
        """Return what plays each stage."""
        model, codes = self.model, len(self.model.codebook)
        lengths = np.array([len(film.learned) for film in model.films], np.float64)
        style = lengths / lengths.sum() if choice.style is None else choice.style
        learned = [film.learned for film in model.films]

        def counted(order: int) -> NGramPredictor:
            return NGramPredictor(learned, codes, order, model.ngram.smoothing, style)

        if not model.network_plays or model.network is None or model.mixture is None:
            return [counted(order) for order in _pick(model.ngram.order + 1, choice.stages)]
        stages = model.network.stages
        playing: list[NextToken] = [
            NetworkPredictor(build_network(stages[at], codes, len(lengths)), style)
            for at in _pick(len(stages), choice.stages)
        ]
        best = MixedPredictor(playing[-1], counted(model.ngram.order), model.mixture.weight)
        return [*playing[:-1], best]

    def _guard(self, max_run: int | None) -> CopyGuard | None:
        if max_run is None:
            return None
        return CopyGuard(self._films, max_run, self.model.codebook.distances)

    def _max_run(self, choice: DreamChoice) -> int | None:
        if choice.most_copied_seconds is None:
            return None
        return max(int(choice.most_copied_seconds * TOKENS_PER_SECOND), 1)


def parse_style(
    weights: Mapping[str, float], names: tuple[str, ...]
) -> tuple[NDArray[np.float64], bool]:
    """Return the weight of each film, which add to 1, and whether those given did not.

    Raises
    ------
    DreamError
        A name is that of no film, or a weight is negative or not finite, or all are 0.
    """
    style = np.zeros(len(names))
    for name, weight in weights.items():
        film = match_film_name(name, names, "among those to dream of", DreamError)
        if not (np.isfinite(weight) and weight >= 0):
            raise DreamError(f"got the weight {weight:g} for {name}, expected 0 or more in `style`")
        style[names.index(film)] += weight
    total = float(style.sum())
    if not total > 0:
        raise DreamError("got weights that are all 0, expected one above 0 in `style`")
    return style / total, abs(total - 1) > 1e-6


def write_sound(
    sound: NDArray[np.float32], sample_rate: int, path: Path, *, overwrite: bool
) -> None:
    """Write a WAV of 24 bits."""
    channels = 1 if sound.ndim == 1 else sound.shape[1]
    with (
        atomic_write(path, DreamError, overwrite=overwrite) as partial,
        open_wav(partial, sample_rate, channels, "PCM_24") as file,
    ):
        file.write(sound)


def _pick(count: int, wanted: int) -> list[int]:
    """Return so many stages of those there are, evenly spaced, the last of them the best."""
    if wanted == 1:
        return [count - 1]
    return [round(each) for each in np.linspace(0, count - 1, min(wanted, count)).tolist()]


def _refuse_other_films(model: DreamModel, sources: Sources) -> None:
    known = {film.name: film for film in model.films}
    for film in sources.films:
        learned = known.get(film.name)
        if learned is None or learned.digest != film.digest:
            raise DreamError(
                f"the model has not learned {film.name} as it is now, expected the films that it "
                "learned; train it again"
            )
    if len(known) != len(sources.films) or [f.name for f in model.films] != list(sources.names):
        missing = sorted(set(known) - set(sources.names))
        raise DreamError(
            f"the model learned {', '.join(missing[:3])} too, expected the films that it learned; "
            "train it again"
        )
