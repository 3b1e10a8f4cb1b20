"""The phase reconstructors by name."""

from __future__ import annotations

from frame2sound.sound.phase.griffin_lim import GriffinLim
from frame2sound.sound.phase.hindle import HINDLE_STRATEGIES
from frame2sound.sound.phase.pghi import Pghi
from frame2sound.sound.phase.phase_vocoder import PhaseVocoder
from frame2sound.sound.phase.random_phase import RandomPhase, ZeroPhase
from frame2sound.sound.phase.reconstructor import PhaseReconstructor
from frame2sound.sound.stft import Stft

FROM_AUDIO_NAMES = ("from-audio", "hindle-12")
"""Two names of `PhaseFromAudio`."""

DEFAULT_PHASE = "phase-vocoder"

PHASE_NAMES = (
    DEFAULT_PHASE,
    "random",
    "zero",
    "griffin-lim",
    "pghi",
    "from-audio",
    *HINDLE_STRATEGIES,
    "hindle-12",
)

PHASE_ALIASES = {"running": "phase-vocoder", "stolen": "from-audio"}
"""The names of version 0.1 that have changed, which are still accepted."""


def create_reconstructor(
    name: str, stft: Stft, seed: int = 0, from_audio: PhaseReconstructor | None = None
) -> PhaseReconstructor:
    """Return a phase reconstructor in its initial state.

    Parameters
    ----------
    name : str
        One of `PHASE_NAMES` or `PHASE_ALIASES`.
    stft : Stft
    seed : int
        Of the random number generator, where the reconstructor has one.
    from_audio : PhaseReconstructor, optional
        What the names in `FROM_AUDIO_NAMES` return: a
        `frame2sound.sound.phase.from_audio.PhaseFromAudio`.

    Raises
    ------
    ValueError
        The name is unknown, or ``from_audio`` is missing.
    """
    name = PHASE_ALIASES.get(name, name)
    if name in FROM_AUDIO_NAMES:
        if from_audio is None:
            raise ValueError(f"got the phase {name} without a sound, expected one to take it from")
        return from_audio
    if name in HINDLE_STRATEGIES:
        return HINDLE_STRATEGIES[name](stft, seed)
    match name:
        case "phase-vocoder":
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
