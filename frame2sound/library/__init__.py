"""Films pickled into pairs on disk: frames, their times, their sound."""
