"""Draw demo films whose truth is known."""
