"""The command line: parsing and printing only, one command a module."""

from frame2sound.cli import (
    brains,
    compare,
    demo,
    films,
    filter_picture,
    gallery,
    library,
    live,
    measure,
    pickle,
    render,
    sonify,
    studio,
    synaesthesia,
    to_picture,
    to_sound,
    train,
)
from frame2sound.cli.app import app, main

__all__ = [
    "app",
    "brains",
    "compare",
    "demo",
    "films",
    "filter_picture",
    "gallery",
    "library",
    "live",
    "main",
    "measure",
    "pickle",
    "render",
    "sonify",
    "studio",
    "synaesthesia",
    "to_picture",
    "to_sound",
    "train",
]
