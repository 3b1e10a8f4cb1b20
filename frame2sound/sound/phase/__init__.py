"""Strategies of phase: how to sound a magnitude that has none, one module a family."""

from frame2sound.sound.phase.named import PHASE_NAMES, FROM_AUDIO_NAMES, create_reconstructor
from frame2sound.sound.phase.strategy import PhaseReconstructor

__all__ = ["PHASE_NAMES", "FROM_AUDIO_NAMES", "PhaseReconstructor", "create_reconstructor"]
