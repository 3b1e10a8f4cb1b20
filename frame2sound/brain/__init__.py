"""Brains: what is needed to turn frames into sound."""
