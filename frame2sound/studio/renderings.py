"""The renderings of each film in the gallery."""

from __future__ import annotations

from dataclasses import dataclass, field

from frame2sound.rendering.style import Style

ORIGINAL = "its-own"
"""Name of the files with the original sound."""


@dataclass(frozen=True)
class Rendering:
    """A soundtrack of the gallery: its title, what it is, and how it is rendered.

    Attributes
    ----------
    title, text : str
    recipe : str or None
        Recipe of the brain; None for the original sound.
    style : Style
    """

    title: str
    text: str
    recipe: str | None = None
    style: Style = field(default_factory=Style)


RENDERINGS = {
    ORIGINAL: Rendering("Original sound", "The sound of the film. No brain was trained on it."),
    "overlap-add": Rendering(
        "Overlap-add",
        "Spectra predicted by a deep brain, with phases that continue from frame to frame.",
        "deep",
    ),
    "granular": Rendering(
        "Granular",
        "The same as a cloud of grains, each within its frame.",
        "deep",
        Style(mode="granular"),
    ),
    "mosaic": Rendering(
        "Mosaic",
        "Units of the sound of the training film, selected by the predictions of the brain.",
        "deep",
        Style(mode="mosaic"),
    ),
    "hard-cut": Rendering(
        "Hard cut",
        "For contrast, as in 2015: Hindle's network (4096-1000-735, 30 epochs) predicts a waveform "
        "for each frame; they are joined without overlap.",
        "lines-small",
        Style(window="none"),
    ),
    "hindle-grains": Rendering(
        "Hindle's grains",
        "For contrast: the same network with his schedule of grains, a quarter of a second late.",
        "lines-small",
        Style(mode="granular", grains="hindle"),
    ),
}
"""Renderings by the names of their files."""
