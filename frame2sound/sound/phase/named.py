"""Strategies of phase by name."""

from __future__ import annotations

from frame2sound.sound.phase.chance import Random, Zero
from frame2sound.sound.phase.griffin_lim import GriffinLim
from frame2sound.sound.phase.hindle import HINDLE
from frame2sound.sound.phase.pghi import Pghi
from frame2sound.sound.phase.running import Running
from frame2sound.sound.phase.strategy import Phase
from frame2sound.sound.stft import Stft

STOLEN = ("stolen", "hindle-12")
"""Two names of one: phases of another sound."""

PHASES = ("running", "random", "zero", "griffin-lim", "pghi", "stolen", *HINDLE, "hindle-12")


def strategy(name: str, stft: Stft, seed: int = 0, stolen: Phase | None = None) -> Phase:
    """Return a strategy of phase, at its beginning.

    Parameters
    ----------
    name : str
        One of `PHASES`.
    stft : Stft
    seed : int
        Of what chance decides.
    stolen : Phase, optional
        What the names in `STOLEN` stand for: a `frame2sound.sound.phase.stolen.Stolen`.

    Raises
    ------
    ValueError
        There is no such strategy, or there is no sound to steal from.
    """
    if name in STOLEN:
        if stolen is None:
            raise ValueError(f"got the phase {name} without a sound, expected one to take it from")
        return stolen
    if name in HINDLE:
        return HINDLE[name](stft, seed)
    match name:
        case "running":
            return Running(stft, seed)
        case "random":
            return Random(stft, seed)
        case "zero":
            return Zero(stft)
        case "griffin-lim":
            return GriffinLim(stft, seed=seed)
        case "pghi":
            return Pghi(stft, seed=seed)
    raise ValueError(f"got the phase {name!r}, expected one of {', '.join(PHASES)}")
