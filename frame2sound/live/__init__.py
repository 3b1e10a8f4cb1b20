"""Live playing: frames as they arrive to sound, with a delay that is stated."""
