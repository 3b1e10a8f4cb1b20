"""Sounds and drawings, without pairs: networks that find a mapping between them, both ways."""
