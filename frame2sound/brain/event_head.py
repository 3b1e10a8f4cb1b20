"""The motion head: says from a picture's motion when something sounds, and how loud.

Four ridge regressions (Hoerl and Kennard 1970) from the numbers of `frame2sound.brain.motion`. It
splits *when* from *what*, as systems for real film do (Video-Foley, SyncFusion): the onset and the
level of an event follow motion, which few films teach; its spectrum hardly does.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

from frame2sound.brain.event_curves import APPEARANCE_SIDE, EventCurves
from frame2sound.brain.motion import (
    FEATURE_COUNT,
    MAX_GAP_FRAMES,
    Motion,
    MotionContext,
)
from frame2sound.brain.ridge_regression import (
    HIDDEN_UNITS,
    QUANTILES,
    OnsetRegression,
    RandomUnits,
    RankedRegression,
    RidgeRegression,
)
from frame2sound.errors import BrainError

FloatArray = NDArray[np.float64]
Source = Literal["motion", "picture"]

TENSOR_PREFIX = "events."
"""The names of the head's tensors in a brain's file begin with this."""

MAX_WEIGHT = 1e6
"""A file whose regressions have larger numbers is refused."""

MAX_LEVEL_DB = 300.0
"""A file with levels further from full scale is refused: they overflow as amplitudes."""

KNOWN_LEVEL = 0.9
"""A network that predicts levels with this correlation knows the sound; it keeps the events too."""

BED_SMOOTHING_FRAMES = 3.0
"""Time constant of the level between events, in frames."""


class HeadSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The settings of a motion head in a brain's file.

    Attributes
    ----------
    threshold : float
        A peak of the onset regression above it, divided by the film's `EventScale`, is an event.
    event_scale : float
        The median scale of the learned films.
    hidden_units : int
        The number of random units of the onset regression.
    events, level, spectrum : {"motion", "picture"} or {"mean", "picture"}
        Who says when events begin, how loud the sound is, and what spectrum it has, by the scores
        on held-out film.
    onset_f, onset_chance : float
        The score of the motion head on held-out film, and that of the same onsets, shifted
        circularly; in brains of version 0.2 and before, of as many random onsets.
    level_correlation : float
        Between the level predicted from motion and the film's own, on held-out film.
    network_onset_f, network_level_correlation : float
        The scores of the network on held-out film.
    loud_level_db : float
        The level that a tenth of the films' frames exceed, in dBFS.
    """

    threshold: float
    event_scale: float
    hidden_units: int
    events: Source
    level: Source
    spectrum: Literal["mean", "picture"]
    onset_f: float
    onset_chance: float
    level_correlation: float
    network_onset_f: float
    network_level_correlation: float
    loud_level_db: float


@dataclass(frozen=True)
class MotionHead:
    """The regressions of a motion head, and what was decided about its use.

    Attributes
    ----------
    onset : OnsetRegression
        How likely an event is.
    event_level : RankedRegression
        The level of an event in dBFS.
    bed : RidgeRegression
        The level of the sound between events in dBFS.
    level : RidgeRegression
        The level of all sound in dBFS.
    """

    onset: OnsetRegression
    event_level: RankedRegression
    bed: RidgeRegression
    level: RidgeRegression
    settings: HeadSettings

    @property
    def speaks(self) -> bool:
        """Whether it decides about events or levels."""
        return "motion" in (self.settings.events, self.settings.level)

    def start(self, fps: float) -> EventStream:
        """Return a stream that predicts the events of one film."""
        return EventStream(self, fps)


class EventStream:
    """A motion head's predictions for one film, chunk by chunk.

    Parameters
    ----------
    head : MotionHead
    fps : float
        Frames per second.
    """

    def __init__(self, head: MotionHead, fps: float) -> None:
        self.head = head
        self.fps = fps
        self._context = MotionContext()
        self._between = head.level
        self._still_db = self._held_db = self._bed_db = 0.0
        self._since = MAX_GAP_FRAMES
        self._set_between(head.level)

    def begin_events(self) -> None:
        """Predict the level between events from now on, instead of that of all sound."""
        self._set_between(self.head.bed)

    def _set_between(self, regression: RidgeRegression) -> None:
        self._between = regression
        self._still_db = float(regression.predict_within(np.zeros((1, FEATURE_COUNT)))[0])
        self._held_db = self._bed_db = self._still_db

    def predict(
        self,
        frames: NDArray[np.uint8],
        motion: Motion,
        scale: FloatArray,
        event_scale: float,
    ) -> EventCurves:
        """Return the curves of the next grey frames ``(n, 64, 64)``.

        Parameters
        ----------
        motion : Motion
            Of these frames.
        scale : float64 array (16,)
            By which each number of the motion is divided; see `MotionScale`.
        event_scale : float
            By which the onset curve is divided; see `EventScale`.
        """
        features = self._context.process(motion, scale)
        count, threshold = len(frames), self.head.settings.threshold * event_scale
        strength, level_db = np.zeros(count), np.zeros(count)
        new = motion.is_new
        strength[new] = self.head.onset.predict(features) / threshold
        level_db[new] = self.head.event_level.predict(features)
        bed_db = self._hold(new, self._between.predict_within(features))
        return EventCurves(
            strength=strength,
            is_new=new,
            lead_seconds=motion.gap_frames / self.fps,
            level_db=level_db,
            bed_db=bed_db,
            appearance=thumbnails(frames),
        )

    def _hold(self, is_new: NDArray[np.bool_], levels: FloatArray) -> FloatArray:
        """Return the smoothed level of each frame: of its picture, or of one that stands."""
        held, values = np.empty(len(is_new)), iter(levels.tolist())
        share = 1 - np.exp(-1 / BED_SMOOTHING_FRAMES)
        for index, new in enumerate(is_new.tolist()):
            self._since = 0 if new else self._since + 1
            if new:
                self._held_db = next(values)
            elif self._since >= MAX_GAP_FRAMES:
                self._held_db = self._still_db
            self._bed_db += share * (self._held_db - self._bed_db)
            held[index] = self._bed_db
        return held


def thumbnails(frames: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return the thumbnails ``(n, 64)`` of grey frames ``(n, 64, 64)``, 0 black to 1 white."""
    side = frames.shape[1] // APPEARANCE_SIDE
    shape = (len(frames), APPEARANCE_SIDE, side, APPEARANCE_SIDE, side)
    small = frames.reshape(shape).mean(axis=(2, 4), dtype=np.float32) / np.float32(255)
    return np.asarray(small.reshape(len(frames), -1), np.float32)


_REGRESSIONS, _QUANTILES = f"{TENSOR_PREFIX}regressions", f"{TENSOR_PREFIX}quantiles"
_ONSET, _UNITS = f"{TENSOR_PREFIX}onset", f"{TENSOR_PREFIX}units"


def _shapes(hidden_units: int) -> dict[str, tuple[int, ...]]:
    """Return the tensors of a head and their shapes."""
    return {
        _ONSET: (FEATURE_COUNT + hidden_units + 3,),
        _UNITS: (FEATURE_COUNT + 1, hidden_units),
        _REGRESSIONS: (3, FEATURE_COUNT + 3),
        _QUANTILES: (2, len(QUANTILES)),
    }


def head_to_file(head: MotionHead | None) -> tuple[dict[str, Any] | None, dict[str, NDArray[Any]]]:
    """Return a head's settings in plain values, and the tensors that hold its regressions."""
    if head is None:
        return None, {}
    parts = (head.event_level.regression, head.bed, head.level)
    units = head.onset.units
    quantiles = np.stack([head.event_level.predicted, head.event_level.values])
    arrays = {
        _ONSET: _to_row(head.onset.regression),
        _UNITS: np.concatenate([units.weights, units.biases[None]]),
        _REGRESSIONS: np.stack([_to_row(part) for part in parts]),
        _QUANTILES: quantiles,
    }
    return msgspec.to_builtins(head.settings), arrays


def head_tensor_names(description: dict[str, Any] | None) -> list[str]:
    """Return the names of the tensors of a stored head."""
    return [] if description is None else list(_shapes(0))


def head_from_file(
    description: dict[str, Any] | None, tensors: dict[str, NDArray[Any]]
) -> MotionHead | None:
    """Return the head of a brain's file.

    Raises
    ------
    BrainError
        A tensor is missing, of another shape, or out of range.
    msgspec.ValidationError
        The description is malformed.
    """
    if description is None:
        return None
    settings = msgspec.convert(description, HeadSettings)
    for name in ("threshold", "event_scale"):
        if not 1e-9 <= getattr(settings, name) <= MAX_WEIGHT:
            raise BrainError(f"its events.{name} is {getattr(settings, name)}; train it again")
    if not abs(settings.loud_level_db) <= MAX_LEVEL_DB:
        raise BrainError(f"its events.loud_level_db is {settings.loud_level_db}; train it again")
    if settings.hidden_units not in (0, HIDDEN_UNITS):
        raise BrainError(f"its events.hidden_units is {settings.hidden_units}; train it again")
    onset, units, rows, (predicted, values) = (
        _checked(name, shape, tensors.get(name))
        for name, shape in _shapes(settings.hidden_units).items()
    )
    for name, levels in ((_REGRESSIONS, rows[:, -2:]), (_QUANTILES, values)):
        if not ((np.abs(levels) <= MAX_LEVEL_DB).all() and (np.diff(levels) >= 0).all()):
            raise BrainError(f"tensor {name} has levels out of range; train it again")
    if not (np.diff(predicted) >= 0).all():
        raise BrainError(f"tensor {_QUANTILES} does not ascend; train it again")
    event_level, bed, level = map(_from_row, rows)
    return MotionHead(
        OnsetRegression(RandomUnits(units[:-1], units[-1]), _from_row(onset)),
        RankedRegression(event_level, predicted, values),
        bed,
        level,
        settings,
    )


def _to_row(regression: RidgeRegression) -> FloatArray:
    return np.array([*regression.weights, regression.bias, regression.low, regression.high])


def _from_row(row: FloatArray) -> RidgeRegression:
    return RidgeRegression(row[:-3], float(row[-3]), float(row[-2]), float(row[-1]))


def _checked(name: str, shape: tuple[int, ...], tensor: NDArray[Any] | None) -> FloatArray:
    """Return the numbers of a tensor of the expected shape and range."""
    if tensor is None or tensor.dtype != np.float64 or tensor.shape != shape:
        got = "missing" if tensor is None else f"{tensor.dtype} {tensor.shape}"
        raise BrainError(f"tensor {name} is {got}, expected float64 {shape}; train it again")
    values: FloatArray = tensor.copy()
    if not (np.abs(values) <= MAX_WEIGHT).all():
        raise BrainError(f"tensor {name} has numbers out of range; train it again")
    return values
