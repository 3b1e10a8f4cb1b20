"""Phase reconstruction: give magnitude spectra a phase; one module per method."""

from frame2sound.sound.phase.reconstructor import PhaseReconstructor
from frame2sound.sound.phase.registry import (
    DEFAULT_PHASE,
    FROM_AUDIO_NAMES,
    PHASE_ALIASES,
    PHASE_NAMES,
    create_reconstructor,
)

__all__ = [
    "DEFAULT_PHASE",
    "FROM_AUDIO_NAMES",
    "PHASE_ALIASES",
    "PHASE_NAMES",
    "PhaseReconstructor",
    "create_reconstructor",
]
