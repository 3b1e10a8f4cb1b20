"""Libraries: films on disk as arrays of frames, frame times and sound, ready for training."""
