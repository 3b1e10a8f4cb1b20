"""Strategies of phase: how to sound a magnitude that has none, one module a family."""
