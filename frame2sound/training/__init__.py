"""Train a brain on a library."""
