"""Visual work on the cells of pictures that carry sound, and what the ear gets of it."""
