"""Draw demo films whose ground truth is known."""
