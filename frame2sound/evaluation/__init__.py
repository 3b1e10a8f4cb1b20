"""Measures and plots of soundtracks."""
