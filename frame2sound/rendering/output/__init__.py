"""Finish a soundtrack: loudness, limiting, fades, resampling, writing."""
