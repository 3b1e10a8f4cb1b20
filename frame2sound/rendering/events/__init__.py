"""Events: sounds that begin when something happens in the picture."""
