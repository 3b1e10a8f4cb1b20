"""Making a brain from a library."""
