"""Strategies of phase: how to sound a magnitude that has none, one module a family."""

from frame2sound.sound.phase.reconstructor import PhaseReconstructor
from frame2sound.sound.phase.registry import FROM_AUDIO_NAMES, PHASE_NAMES, create_reconstructor

__all__ = ["PHASE_NAMES", "FROM_AUDIO_NAMES", "PhaseReconstructor", "create_reconstructor"]
