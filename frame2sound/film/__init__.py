"""Films: reading them, writing soundtracks to them, drawing them."""
