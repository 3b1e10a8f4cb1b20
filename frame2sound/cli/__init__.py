"""The command line: parsing and printing only, one command a module."""

from frame2sound.cli import brains, demo, films, measure, pickle, render, train
from frame2sound.cli.app import app, main

__all__ = ["app", "brains", "demo", "films", "main", "measure", "pickle", "render", "train"]
