"""Two small tools that know pictures only: an edge-preserving smoother and an untrained network.

python benchmarks/picture_tools.py smooth IN.png OUT.png
python benchmarks/picture_tools.py network IN.png OUT.png
"""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import nn

SEED = 1


def smooth(picture: np.ndarray) -> np.ndarray:
    """Return a picture ``(height, width, 3)`` of bytes with flat areas and sharp edges."""
    return np.asarray(cv2.edgePreservingFilter(picture, flags=1, sigma_s=30, sigma_r=0.4))


def network(picture: np.ndarray) -> np.ndarray:
    """Return what a network of two convolutions with random weights adds to a picture."""
    torch.manual_seed(SEED)
    shape = {"kernel_size": 5, "padding": 2, "padding_mode": "reflect"}
    layers = nn.Sequential(nn.Conv2d(3, 16, **shape), nn.Tanh(), nn.Conv2d(16, 3, **shape))
    one = torch.from_numpy(picture).permute(2, 0, 1)[None] / 127.5 - 1
    with torch.no_grad():
        made = one + 2 * layers(one)
    levels = ((made.clamp(-1, 1) + 1) * 127.5).round().byte()
    return np.asarray(levels[0].permute(1, 2, 0))


TOOLS = {"smooth": smooth, "network": network}


def main() -> None:
    """Send one picture through one tool."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("tool", choices=TOOLS)
    parser.add_argument("given", type=Path)
    parser.add_argument("made", type=Path)
    options = parser.parse_args()
    picture = cv2.imread(str(options.given))
    if picture is None:
        parser.error(f"{options.given} cannot be read, expected a picture")
    cv2.imwrite(str(options.made), TOOLS[options.tool](picture))


if __name__ == "__main__":
    main()
