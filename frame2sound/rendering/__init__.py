"""Giving an animation its soundtrack."""
