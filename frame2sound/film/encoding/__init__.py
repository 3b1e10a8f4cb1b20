"""Encode soundtracks and mux them with their pictures."""
