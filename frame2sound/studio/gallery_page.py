"""The gallery's pages: one to hear and watch, one to read where the files are kept."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any
from urllib.parse import quote

import msgspec

from frame2sound.atomic import atomic_write
from frame2sound.errors import SoundtrackError
from frame2sound.untrusted import read_json

ORIGINAL, MEASURES_FILE, PICTURE_FILE = "its-own", "figures.json", "picture.webp"

FILM_DESCRIPTIONS = {
    "bounce": "Balls, and a flash where they land; impacts outlive the frame.",
    "lines": "Lines appear. Height is pitch; each sounds while it is visible.",
    "scratch": "Scratched film. Width is loudness, place the colour of noise.",
    "theremin": "A disc. Its height is pitch, its size loudness.",
    "typing": "Keys light up and fade; each has its own click.",
}

RENDERING_DESCRIPTIONS = {
    ORIGINAL: ("Its own sound", "How the film sounds in truth. No brain has heard it."),
    "overlap-add": (
        "Overlap-add",
        "The spectra that a deep brain foretells, joined by phases that run on.",
    ),
    "granular": ("Granular", "The same as a cloud of grains, each in its frame."),
    "mosaic": ("Mosaic", "Pieces of the learned film's own sound, laid as the brain foretells."),
    "hard-cut": (
        "Hard cut",
        "For contrast, as in 2015: Hindle's network (4096-1000-735, 30 epochs) gives each frame "
        "a waveform; they stand end to end.",
    ),
    "hindle-grains": (
        "Hindle's grains",
        "For contrast: the same network under his schedule of grains, a quarter of a second late.",
    ),
}
"""What each way is called, and in one line what it is."""

SHOWN_MEASURES = {
    "onset_f": ("onset F", ".2f", ""),
    "envelope_correlation": ("envelope", ".2f", ""),
    "spectral_distance_db": ("distance", ".1f", " dB"),
    "pitch": ("pitch", ".2f", ""),
    "tremolo_comb_above_db": ("tremolo", "+.1f", " dB"),
}
"""Figures worth a line: what they are called, how they are printed, their unit."""

CSS = """
:root { color-scheme: dark; }
body { margin: 0 auto; max-width: 76rem; padding: 3rem 1.5rem; background: #12151c;
  color: #e8e6e1; font: 1rem/1.55 system-ui, sans-serif; }
h1, h2 { font-weight: 400; letter-spacing: .01em; }
h1 { font-size: 2.4rem; margin: 0; } h2 { font-size: 1.7rem; margin: 4rem 0 0; color: #f2c57c; }
h3 { font-size: 1rem; margin: .6rem 0 .1rem; }
p { margin: .2rem 0; max-width: 44rem; } small, .quiet { color: #949cab; }
.row { display: grid; gap: 1.6rem; margin: 1.4rem 0;
  grid-template-columns: repeat(auto-fill, minmax(20rem, 1fr)); }
video, img { width: 100%; border-radius: 6px; background: #171b24; display: block; }
code { background: #171b24; padding: .15rem .4rem; border-radius: 4px; }
"""


def write_pages(
    out: Path, films: Sequence[str], command: str, seconds: float, learned_seconds: float
) -> None:
    """Write ``index.html`` and ``README.md`` on the film folders that stand in ``out``.

    ``command`` is what makes them, ``seconds`` how long their animations are, ``learned_seconds``
    the films that brains learned.

    Raises
    ------
    SoundtrackError
        They cannot be written.
    """
    about = (
        f"Animations of {seconds:g} s that no brain has seen, and what brains make of them that "
        f"have learned {learned_seconds:g} s of another film of the kind."
    )
    figures = {film: _read(out / film / MEASURES_FILE) for film in films}
    for name, page in {
        "index.html": _html(about, command, figures),
        "README.md": _markdown(about, command, figures),
    }.items():
        with atomic_write(out / name, SoundtrackError) as partial:
            partial.write_text(page, encoding="utf-8")


def _read(path: Path) -> dict[str, dict[str, Any]]:
    try:
        return msgspec.convert(read_json(path), dict[str, dict[str, float | dict[str, Any] | None]])
    except (OSError, ValueError) as error:
        raise SoundtrackError(
            f"{path} is not readable as a gallery's figures; choose another --out"
        ) from error


def _html(about: str, command: str, films: Mapping[str, Mapping[str, Any]]) -> str:
    parts = "\n".join(_html_film(film, figures) for film, figures in films.items())
    return f"""<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>frame2sound: the gallery</title>
<style>{CSS}</style>
<h1>frame2sound: the gallery</h1>
<p>{escape(about)}</p>
<p class="quiet">{escape(_LEGEND)} Made by <code>{escape(command)}</code></p>
{parts}
</html>
"""


def _html_film(film: str, figures: Mapping[str, Any]) -> str:
    videos = "\n".join(
        _html_rendering(film, way, figures[way]) for way in RENDERING_DESCRIPTIONS if way in figures
    )
    return f"""<h2>{escape(film)}</h2>
<p>{escape(FILM_DESCRIPTIONS.get(film, ""))}</p>
<div class="row">
{videos}
</div>
<img src="{_url(film)}/{PICTURE_FILE}" alt="{escape(_alt(film))}">"""


def _html_rendering(film: str, rendering: str, figures: Mapping[str, Any]) -> str:
    title, about = RENDERING_DESCRIPTIONS[rendering]
    return f"""<div><video controls preload="metadata" src="{_url(film)}/{rendering}.mp4"></video>
<h3>{escape(title)}</h3>
<p>{escape(about)}</p>
<small>{escape(_format_measures(figures))}</small></div>"""


def _url(film: str) -> str:
    """Return a folder's name as part of an address in HTML or Markdown."""
    return quote(film)


def _escape_markdown(text: str) -> str:
    """Return text that Markdown shows as it is."""
    return re.sub(r"([\\`*_{}\[\]<>#|!&])", r"\\\1", text)


def _markdown(about: str, command: str, films: Mapping[str, Mapping[str, Any]]) -> str:
    head = f"# The gallery\n\n{about}\n{_LEGEND}\n\n    {command}\n\n"
    hint = "Open [index.html](index.html) in a browser to hear all on one page.\n"
    return head + hint + "".join(_markdown_film(film, films[film]) for film in films)


def _markdown_film(film: str, figures: Mapping[str, Any]) -> str:
    rows = [
        f"| [{title}]({_url(film)}/{way}.mp4) | {about} | {_format_measures(figures[way])} |"
        for way, (title, about) in RENDERING_DESCRIPTIONS.items()
        if way in figures
    ]
    table = "\n".join(["| | | |", "|---|---|---|", *rows])
    picture = f"![{_escape_markdown(_alt(film))}]({_url(film)}/{PICTURE_FILE})"
    return f"\n## {_escape_markdown(film)}\n\n{FILM_DESCRIPTIONS.get(film, '')}\n\n{table}\n\n{picture}\n"


_LEGEND = (
    "Onset F: events found within 50 ms, none invented. Envelope: correlation of loudness. "
    "Distance: of log spectra from the film's own. Pitch: share of frames within a semitone. "
    "Tremolo: how much more than the film itself it pulses with the frames."
)


def _format_measures(measures: Mapping[str, Any]) -> str:
    return ", ".join(
        f"{label} {measures[name]:{form}}{unit}"
        for name, (label, form, unit) in SHOWN_MEASURES.items()
        if measures.get(name) is not None
    )


def _alt(film: str) -> str:
    return f"{film}: the film, its own sound, and five soundtracks made of the picture"
