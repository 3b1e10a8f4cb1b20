"""Pure functions on arrays of samples, and the files that hold them."""
