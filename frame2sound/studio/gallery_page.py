"""The pages of the gallery: ``index.html`` and ``README.md``."""

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
from frame2sound.evaluation.measure_table import MEASURES
from frame2sound.studio.renderings import RENDERINGS
from frame2sound.untrusted import read_json

MEASURES_FILE, PICTURE_FILE = "figures.json", "picture.webp"

FILM_DESCRIPTIONS = {
    "bounce": "Balls, and a flash where they land; the sound of an impact is longer than a frame.",
    "lines": "Lines appear. Height is pitch; each sounds while it is visible.",
    "scratch": "Scratched film. Width is loudness, position is the spectrum of the noise.",
    "theremin": "A disc. Its height is pitch, its size is loudness.",
    "typing": "Keys light up and fade; each has its own click.",
}

SHOWN_MEASURES = (
    "onset_f",
    "envelope_correlation",
    "spectral_distance_db",
    "pitch",
    "tremolo_comb_above_db",
)
"""Measures on the line below each soundtrack."""

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
    """Write ``index.html`` and ``README.md`` about the folders of films in ``out``.

    Parameters
    ----------
    out : Path
    films : sequence of str
        Names of the folders.
    command : str
        Command that makes the gallery.
    seconds, learned_seconds : float
        Length of the animations, and of the training films.

    Raises
    ------
    SoundtrackError
        A page cannot be written, or measures cannot be read.
    """
    about = (
        f"Unseen animations of {seconds:g} s, with soundtracks of brains that were trained on "
        f"{learned_seconds:g} s of another film of the same kind."
    )
    measures = {film: _read(out / film / MEASURES_FILE) for film in films}
    for name, page in {
        "index.html": _html(about, command, measures),
        "README.md": _markdown(about, command, measures),
    }.items():
        with atomic_write(out / name, SoundtrackError) as partial:
            partial.write_text(page, encoding="utf-8")


def _read(path: Path) -> dict[str, dict[str, Any]]:
    try:
        return msgspec.convert(read_json(path), dict[str, dict[str, float | dict[str, Any] | None]])
    except (OSError, ValueError) as error:
        raise SoundtrackError(
            f"{path} is not readable as measures of a gallery; give another `out`"
        ) from error


def _html(about: str, command: str, films: Mapping[str, Mapping[str, Any]]) -> str:
    parts = "\n".join(_html_film(film, measures) for film, measures in films.items())
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


def _html_film(film: str, measures: Mapping[str, Any]) -> str:
    videos = "\n".join(
        _html_rendering(film, name, measures[name]) for name in RENDERINGS if name in measures
    )
    return f"""<h2>{escape(film)}</h2>
<p>{escape(FILM_DESCRIPTIONS.get(film, ""))}</p>
<div class="row">
{videos}
</div>
<img src="{_url(film)}/{PICTURE_FILE}" alt="{escape(_alt(film))}">"""


def _html_rendering(film: str, name: str, measures: Mapping[str, Any]) -> str:
    rendering = RENDERINGS[name]
    return f"""<div><video controls preload="metadata" src="{_url(film)}/{name}.mp4"></video>
<h3>{escape(rendering.title)}</h3>
<p>{escape(rendering.text)}</p>
<small>{escape(_format_measures(measures))}</small></div>"""


def _url(film: str) -> str:
    """Return the name of a folder as part of a URL."""
    return quote(film)


def _escape_markdown(text: str) -> str:
    """Return text in which the special characters of Markdown are escaped."""
    return re.sub(r"([\\`*_{}\[\]<>#|!&])", r"\\\1", text)


def _markdown(about: str, command: str, films: Mapping[str, Mapping[str, Any]]) -> str:
    head = f"# The gallery\n\n{about}\n{_LEGEND}\n\n    {command}\n\n"
    hint = "Open [index.html](index.html) in a browser to play all films on one page.\n"
    return head + hint + "".join(_markdown_film(film, films[film]) for film in films)


def _markdown_film(film: str, measures: Mapping[str, Any]) -> str:
    rows = [
        f"| [{rendering.title}]({_url(film)}/{name}.mp4) | {rendering.text} "
        f"| {_format_measures(measures[name])} |"
        for name, rendering in RENDERINGS.items()
        if name in measures
    ]
    table = "\n".join(["| | | |", "|---|---|---|", *rows])
    picture = f"![{_escape_markdown(_alt(film))}]({_url(film)}/{PICTURE_FILE})"
    text = FILM_DESCRIPTIONS.get(film, "")
    return f"\n## {_escape_markdown(film)}\n\n{text}\n\n{table}\n\n{picture}\n"


_LEGEND = (
    "Onset F: F-measure of onsets within 50 ms. Envelope: correlation of the RMS envelope with the "
    "original's. Distance: log-spectral distance from the original. Pitch: share of pitched frames "
    "within a semitone. Tremolo: amplitude modulation at the frame rate, relative to the original."
)


def _format_measures(measures: Mapping[str, Any]) -> str:
    return ", ".join(
        f"{info.column} {info.format(measures[name])} {info.unit}".rstrip()
        for name, info in ((name, MEASURES[name]) for name in SHOWN_MEASURES)
        if measures.get(name) is not None
    )


def _alt(film: str) -> str:
    return f"{film}: the film, its original sound, and five rendered soundtracks"
