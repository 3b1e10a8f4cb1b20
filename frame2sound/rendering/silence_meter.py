"""How much of a soundtrack is silent, what the picture does there, and a note that says so."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from frame2sound.brain.corpus import Corpus, CorpusPointer
from frame2sound.rendering.frame_curves import FrameCurves
from frame2sound.rendering.renderer import Renderer

STEP_SECONDS = 0.1
"""Level and motion are measured in steps of this length."""

SILENCE_DB = -60.0
"""A step of sound with a lower root mean square is silent, in dBFS."""

SILENT_SHARE = 0.5
"""A soundtrack of which more is silent gets a note."""

STILL_SECONDS = 0.5
"""A picture that does not change for so long before and after a step stands still."""

MIN_MOTION = 1e-5
"""Mean absolute difference of frames, 0 to 1, below which a picture does not change."""

MAX_BLACK = 0.01
"""Brightness, 0 to 1, up to which a picture is black."""

_LOWEST_DB, _BLOCK_STEPS = -255, 100


@dataclass(frozen=True)
class SilenceReport:
    """How much of a soundtrack is silent, and what the picture does meanwhile.

    Attributes
    ----------
    silent_share : float
        Of the soundtrack.
    black_share, still_share : float
        Of the silent part: where the picture is black, and where it is not but stands still.
    has_events : bool
        Whether the brain's motion head decided when something sounds, as `sensitivity` says.
    """

    silent_share: float
    black_share: float
    still_share: float
    has_events: bool = False

    def note(
        self, corpus: Corpus | CorpusPointer | None = None, sound: str = "the soundtrack"
    ) -> str | None:
        """Return one line with the reason and the remedy, or None if enough is heard.

        Parameters
        ----------
        corpus : Corpus, optional
            The sound of the brain's films, to tell whether they are as silent.
        sound : str
            What it is that is silent.
        """
        if self.silent_share <= SILENT_SHARE:
            return None
        whole = self.silent_share == 1
        part = sound if whole else f"{self.silent_share:.0%} of {sound}"
        return f"{part} is silent: {self._reason(corpus)}"

    def _reason(self, corpus: Corpus | CorpusPointer | None) -> str:
        if self.black_share > 0.5:
            return (
                "the picture is black there; if black should sound, train on films that sound on "
                "black, pickled with `calibration=False`"
            )
        if self.black_share + self.still_share > 0.5:
            black_or = "is black or " if self.black_share else ""
            return (
                f"the picture {black_or}stands still there; if it should sound, train on films "
                "that sound while their picture stands still"
            )
        films_silent = silent_share(corpus) if isinstance(corpus, Corpus) else 0.0
        if films_silent > SILENT_SHARE:
            return (
                f"the brain's films are silent for {films_silent:.0%}, too; train on films with "
                "more sound" + (", or raise `sensitivity`" if self.has_events else "")
            )
        if self.has_events:
            return (
                "the brain finds few events in this motion; raise `sensitivity`, or train on films "
                "more like it"
            )
        return (
            "the brain predicts no sound for this picture; train it longer, or on films more like "
            "it"
        )


class SilenceMeter:
    """A renderer that measures the sound of another, and the picture, while it passes them on.

    It keeps three bytes for each `STEP_SECONDS` of the soundtrack.

    Parameters
    ----------
    renderer : Renderer
    """

    def __init__(self, renderer: Renderer) -> None:
        self.renderer = renderer
        self.sample_rate = renderer.sample_rate
        self.step_samples = max(round(STEP_SECONDS * self.sample_rate), 1)
        self._pending = np.empty(0, np.float64)
        self._levels = bytearray()
        self._moves = bytearray()
        self._is_black = bytearray()
        self._has_events = False
        self._start: int | None = None

    @property
    def channels(self) -> int:
        """Those of the renderer."""
        return self.renderer.channels

    @property
    def summary(self) -> str:
        """That of the renderer."""
        return self.renderer.summary

    def process(
        self, predictions: NDArray[Any], bounds: NDArray[np.int64], frame_curves: FrameCurves
    ) -> NDArray[np.float32]:
        """Return the renderer's sound."""
        self._has_events |= frame_curves.events is not None
        self._measure_picture(bounds, frame_curves)
        return self._measure_sound(self.renderer.process(predictions, bounds, frame_curves))

    def flush(self) -> NDArray[np.float32]:
        """Return the rest of the renderer's sound."""
        return self._measure_sound(self.renderer.flush())

    def report(
        self, gain_db: float = 0.0, seconds: tuple[float, float] = (0.0, math.inf)
    ) -> SilenceReport:
        """Return what was measured between two times, with a gain applied to the sound."""
        count = min(len(self._levels), len(self._moves))
        steps = self._steps_between(seconds, count)
        levels = -np.frombuffer(self._levels, np.uint8, count)[steps].astype(np.float64)
        silent = (levels + gain_db < SILENCE_DB) | (levels <= _LOWEST_DB)
        if not silent.any():
            return SilenceReport(0.0, 0.0, 0.0, self._has_events)
        moves = np.frombuffer(self._moves, np.uint8, count)
        reach = round(STILL_SECONDS / STEP_SECONDS)
        moves_nearby = np.convolve(moves, np.ones(2 * reach + 1), "full")[reach : reach + count] > 0
        moves_nearby = moves_nearby[steps]
        black = np.frombuffer(self._is_black, np.uint8, count)[steps] > 0
        return SilenceReport(
            float(silent.mean()),
            float(black[silent].mean()),
            float((~moves_nearby & ~black)[silent].mean()),
            self._has_events,
        )

    def _steps_between(self, seconds: tuple[float, float], count: int) -> slice:
        first, stop = (second - (self._start or 0) / self.sample_rate for second in seconds)
        return slice(
            int(first / STEP_SECONDS), min(math.ceil(min(stop, 1e9) / STEP_SECONDS), count)
        )

    def _measure_picture(self, bounds: NDArray[np.int64], frame_curves: FrameCurves) -> None:
        """Note for each step whether the picture changes in it, and whether it is all black."""
        if self._start is None:
            self._start = int(bounds[0])
        bounds = bounds - self._start
        starts, stops = bounds[:-1] // self.step_samples, (bounds[1:] - 1) // self.step_samples
        steps = int(stops[-1]) + 1 if len(stops) else 0
        self._moves.extend(bytes(max(steps - len(self._moves), 0)))
        self._is_black.extend(b"\1" * max(steps - len(self._is_black), 0))
        moves, is_black = (np.frombuffer(part, np.uint8) for part in (self._moves, self._is_black))
        for flags, value, frames in (
            (moves, 1, frame_curves.motion >= MIN_MOTION),
            (is_black, 0, frame_curves.brightness > MAX_BLACK),
        ):
            for start, stop in zip(starts[frames], stops[frames], strict=True):
                flags[start : stop + 1] = value

    def _measure_sound(self, sound: NDArray[np.float32]) -> NDArray[np.float32]:
        power = np.square(sound, dtype=np.float64).reshape(len(sound), self.channels).mean(axis=1)
        self._pending = np.concatenate([self._pending, power])
        whole = len(self._pending) // self.step_samples * self.step_samples
        powers = self._pending[:whole].reshape(-1, self.step_samples).mean(axis=1)
        self._pending = self._pending[whole:]
        self._levels.extend(_level_bytes(powers))
        return sound


def silent_share(corpus: Corpus) -> float:
    """Return the share of a corpus's sound that is silent, in steps of `STEP_SECONDS`."""
    length = max(round(STEP_SECONDS * corpus.sample_rate), 1)
    silent = list(_silent_steps(corpus, length))
    return sum(silent) / len(silent) if silent else 0.0


def _silent_steps(corpus: Corpus, length: int) -> Iterator[bool]:
    blocks = (block for piece in corpus.pieces for block in piece.blocks(_BLOCK_STEPS * length))
    for block in blocks:
        count = len(block) // length
        steps = block[: count * length].reshape(count, length * corpus.channels)
        rms = np.sqrt(np.mean(np.square(steps, dtype=np.float64), axis=1))
        yield from (rms < 10 ** (SILENCE_DB / 20)).tolist()


def _level_bytes(powers: NDArray[np.float64]) -> bytes:
    """Return levels in dB below full scale, rounded, 0 to 255."""
    levels = -10 * np.log10(np.maximum(powers, 10 ** (_LOWEST_DB / 10)))
    return np.clip(np.round(levels), 0, -_LOWEST_DB).astype(np.uint8).tobytes()
