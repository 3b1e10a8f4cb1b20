"""Go on by itself in the style of films: tokens of sound, models of them, and units that sound."""
