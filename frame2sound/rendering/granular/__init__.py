"""Synthesise clouds of grains."""
