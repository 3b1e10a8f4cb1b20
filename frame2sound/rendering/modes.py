"""The modes of rendering, by name."""

from typing import Literal

Mode = Literal["overlap-add", "granular", "mosaic"]

DEFAULT_MODE: Mode = "overlap-add"
