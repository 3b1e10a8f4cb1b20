"""What is in a sound: features of its frames, onsets, tempo, pitch, notes, key and loudness."""
