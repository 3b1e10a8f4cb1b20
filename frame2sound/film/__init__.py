"""Decode films, encode soundtracks for them, and draw demo films."""
