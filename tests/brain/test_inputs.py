"""Pixels enter a network in reading order, black as 0 and white as 1."""

import numpy as np
import torch

from frame2sound.brain.inputs import PIXELS, pixels


def test_pixels_are_grey_values_over_255():
    frames = np.random.default_rng(0).integers(0, 256, (3, 64, 64), np.uint8)
    before = frames.copy()
    seen = pixels(torch.from_numpy(frames))
    assert seen.shape == (3, PIXELS)
    assert seen.dtype == torch.float32
    np.testing.assert_array_equal(seen.numpy(), frames.reshape(3, -1) / np.float32(255))
    np.testing.assert_array_equal(frames, before)


def test_black_is_0_and_white_is_1():
    frames = torch.tensor([0, 255], dtype=torch.uint8)[:, None, None].expand(2, 64, 64)
    assert torch.equal(pixels(frames), torch.tensor([[0.0], [1.0]]).expand(2, PIXELS))


def test_no_frames_give_no_rows():
    assert pixels(torch.empty(0, 64, 64, dtype=torch.uint8)).shape == (0, PIXELS)
