"""Decode films to timed frames and timed audio chunks."""
