"""Strategies of phase by name."""

from __future__ import annotations

from frame2sound.sound.phase.griffin_lim import GriffinLim
from frame2sound.sound.phase.hindle import HINDLE_STRATEGIES
from frame2sound.sound.phase.pghi import Pghi
from frame2sound.sound.phase.phase_vocoder import PhaseVocoder
from frame2sound.sound.phase.random_phase import RandomPhase, ZeroPhase
from frame2sound.sound.phase.reconstructor import PhaseReconstructor
from frame2sound.sound.stft import Stft

FROM_AUDIO_NAMES = ("stolen", "hindle-12")
"""Two names of one: phases of another sound."""

PHASE_NAMES = (
    "running",
    "random",
    "zero",
    "griffin-lim",
    "pghi",
    "stolen",
    *HINDLE_STRATEGIES,
    "hindle-12",
)


def create_reconstructor(
    name: str, stft: Stft, seed: int = 0, from_audio: PhaseReconstructor | None = None
) -> PhaseReconstructor:
    """Return a strategy of phase, at its beginning.

    Parameters
    ----------
    name : str
        One of `PHASES`.
    stft : Stft
    seed : int
        Of what chance decides.
    stolen : Phase, optional
        What the names in `STOLEN` stand for: a `frame2sound.sound.phase.from_audio.Stolen`.

    Raises
    ------
    ValueError
        There is no such strategy, or there is no sound to steal from.
    """
    if name in FROM_AUDIO_NAMES:
        if from_audio is None:
            raise ValueError(f"got the phase {name} without a sound, expected one to take it from")
        return from_audio
    if name in HINDLE_STRATEGIES:
        return HINDLE_STRATEGIES[name](stft, seed)
    match name:
        case "running":
            return PhaseVocoder(stft, seed)
        case "random":
            return RandomPhase(stft, seed)
        case "zero":
            return ZeroPhase(stft)
        case "griffin-lim":
            return GriffinLim(stft, seed=seed)
        case "pghi":
            return Pghi(stft, seed=seed)
    raise ValueError(f"got the phase {name!r}, expected one of {', '.join(PHASE_NAMES)}")
