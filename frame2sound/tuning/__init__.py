"""Tone systems as sound: scales and chords of band-limited waves."""
