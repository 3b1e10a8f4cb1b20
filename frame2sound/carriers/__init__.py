"""Sound as pictures and films that visual tools can process, and back."""
