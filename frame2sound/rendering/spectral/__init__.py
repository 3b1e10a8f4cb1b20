"""Synthesise predicted spectra by overlap-add."""
