"""Bring the level of predictions to that of the films, where the pictures are unlike theirs."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from frame2sound.rendering.events.bed import UNKNOWN_DB, BedLeveller, frame_levels_db

LOUD_SHARE = 0.9
"""Levels are compared at the quantile that a tenth of the frames exceed."""

TOLERANCE_DB = 10.0
"""Predictions are raised if they lie further below the films."""

MUTE_DB = 30.0
"""A brain whose predictions lie so far below its films knows nothing of the pictures."""

SLEW_DB = 0.1
"""The most by which the gain changes from one frame to the next."""

_LOWEST_DB, _BINS_PER_DB = -120.0, 2


class LevelMatcher:
    """Compares the levels of an animation's predictions with those of the learned films.

    A network that sees pictures unlike those that it learned predicts too little: the less it
    knows, the nearer its prediction is to silence. The loudest tenth of the frames in which the
    picture moves is brought to the level of the films' loudest tenth; all frames get the same gain,
    so that silence stays silence.

    Parameters
    ----------
    loud_level_db : float
        The level that a tenth of the films' frames exceed, in dBFS.
    """

    def __init__(self, loud_level_db: float) -> None:
        self.loud_level_db = loud_level_db
        self._counts = np.zeros(round((40 - _LOWEST_DB) * _BINS_PER_DB), np.int64)
        self._leveller = BedLeveller()
        self._gain_db: float | None = None

    def observe(self, predictions: NDArray[Any], moves: NDArray[np.bool_]) -> None:
        """Take in the predictions of frames, and which of these show another picture."""
        levels = frame_levels_db(predictions[moves])
        bins = ((levels - _LOWEST_DB) * _BINS_PER_DB).astype(np.int64)
        self._counts += np.bincount(
            bins.clip(0, len(self._counts) - 1), minlength=len(self._counts)
        )

    @property
    def deficit_db(self) -> float:
        """How far the loudest tenth lies below the films' loudest tenth; 0 if nothing moves."""
        total = int(self._counts.sum())
        if not total:
            return 0.0
        place = int(np.searchsorted(np.cumsum(self._counts), LOUD_SHARE * total))
        return self.loud_level_db - (place / _BINS_PER_DB + _LOWEST_DB)

    @property
    def is_mute(self) -> bool:
        """Whether the predictions say nothing of how loud the pictures are."""
        return self.deficit_db > MUTE_DB

    def process(
        self, predictions: NDArray[Any], levels_db: NDArray[np.float64] | None = None
    ) -> NDArray[Any]:
        """Return the predictions of the next frames, raised if those of the film are too quiet.

        Parameters
        ----------
        levels_db : float64 array (n,), optional
            The level of each frame, if something else than the network says it; frames that are
            predicted to be silent stay silent.
        """
        if levels_db is not None:
            silent = frame_levels_db(predictions) < UNKNOWN_DB
            return self._leveller.process(predictions, np.where(silent, _LOWEST_DB, levels_db))
        gains = self._gains_db(len(predictions))
        if not gains.any():
            return predictions
        shape = (-1, *(1,) * (predictions.ndim - 1))
        raised: NDArray[Any] = predictions * np.float32(10 ** (gains / 20)).reshape(shape)
        return raised

    def _gains_db(self, count: int) -> NDArray[np.float64]:
        deficit = self.deficit_db
        wanted = deficit if deficit > TOLERANCE_DB else 0.0
        start = wanted if self._gain_db is None else self._gain_db
        steps = SLEW_DB * np.arange(1, count + 1)
        gains = np.asarray(start + np.clip(wanted - start, -steps, steps), np.float64)
        self._gain_db = float(gains[-1]) if count else start
        return gains
