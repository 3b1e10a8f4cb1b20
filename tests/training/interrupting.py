"""An interrupting callback and comparisons of brains, for the tests of training."""

import numpy as np


class Interrupt:
    """A progress callback that raises KeyboardInterrupt at its n-th call."""

    def __init__(self, call):
        self.calls_left = call

    def __call__(self, *report):
        self.calls_left -= 1
        if not self.calls_left:
            raise KeyboardInterrupt


def weights(brain):
    return [parameter.detach().numpy() for parameter in brain.network.parameters()]


def assert_same(one, other):
    for first, second in zip(weights(one), weights(other), strict=True):
        np.testing.assert_array_equal(first, second)
