"""Strategies of phase: how to sound a magnitude that has none, one module a family."""

from frame2sound.sound.phase.named import PHASES, STOLEN, strategy
from frame2sound.sound.phase.strategy import Phase

__all__ = ["PHASES", "STOLEN", "Phase", "strategy"]
