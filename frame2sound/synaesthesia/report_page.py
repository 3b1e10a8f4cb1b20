"""A page about a pair: sounds, the strokes drawn for them, what they sing, and measures."""

from __future__ import annotations

import base64
import io
from html import escape
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from frame2sound.atomic import atomic_write
from frame2sound.errors import SynaesthesiaError
from frame2sound.synaesthesia.drawings import drawings_of_strokes
from frame2sound.synaesthesia.measures import PairMeasures
from frame2sound.synaesthesia.pair import Pair
from frame2sound.synaesthesia.sheet import in_order, spectrum_picture
from frame2sound.synaesthesia.singing import sing
from frame2sound.synaesthesia.sound_windows import RATE
from frame2sound.synaesthesia.sounds import Sounds
from frame2sound.synaesthesia.svg_writer import stroke_svg

FloatArray = NDArray[np.float32]

SHOWN = 24
"""Sounds on the page."""

CSS = """
:root { color-scheme: light dark; --edge: #8884; }
body { margin: 0 auto; max-width: 76rem; padding: 2rem 1rem; font: 1rem/1.5 system-ui, sans-serif; }
h1 { font-weight: 400; margin: 0; } p { max-width: 44rem; }
.cards { display: grid; gap: 1rem; grid-template-columns: repeat(auto-fill, minmax(17rem, 1fr)); }
.card { border: 1px solid var(--edge); border-radius: 6px; padding: .6rem; margin: 0; }
.card div { display: flex; gap: .5rem; }
.card img { width: 50%; aspect-ratio: 1; background: #fff; }
audio { width: 100%; height: 2rem; margin-top: .4rem; } figcaption { overflow-wrap: anywhere; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; margin: 1rem 0; }
td, th { border-bottom: 1px solid var(--edge); padding: .2rem .8rem .2rem 0; text-align: left; }
td:nth-child(2) { text-align: right; font-variant-numeric: tabular-nums; }
"""


def measure_rows(found: PairMeasures) -> list[tuple[str, float, str]]:
    """Return the name, the value and the meaning of each measure of a pair."""
    rows = [
        (f"{name}, as drawn", value, "rank correlation; 0 by chance")
        for name, value in found.drawn.items()
    ]
    rows += [
        (f"{name}, as sung", value, "rank correlation; 0 by chance")
        for name, value in found.sung.items()
    ]
    return [
        *rows,
        ("error there and back", found.cycle, "1 is always the mean"),
        ("the same through SVG", found.cycle_svg, "1 is always the mean"),
        ("own sound found first through SVG", found.found_first, "1 / sounds by chance"),
        ("diversity of strokes", found.diversity, "1 is that of the drawings"),
        ("kernel distance to drawings", found.distance, f"{found.distance_of_real:.3f} is real"),
        ("movement of a tone", found.tone_movement, "pixels of 256 a frame"),
        ("size follows a crescendo", found.crescendo, "rank correlation"),
    ]


def write_report(
    path: Path, pair: Pair, sounds: Sounds, found: PairMeasures, *, overwrite: bool = False
) -> None:
    """Write one page that needs no other file; sounds go from quiet to loud.

    Raises
    ------
    SynaesthesiaError
        The file exists or cannot be written.
    """
    step = max(1, len(sounds) // SHOWN)
    chosen = in_order(sounds.spectra)[::step][:SHOWN]
    strokes = pair.draw_components(pair.components.transform(sounds.spectra[chosen]))
    sung = sing(pair, drawings_of_strokes(strokes).rasters, None).reshape(-1, RATE)
    cards = "\n".join(
        _card(sounds.select(np.array([index])), stroke[None], heard)
        for index, stroke, heard in zip(chosen, strokes, sung, strict=True)
    )
    with atomic_write(path, SynaesthesiaError, overwrite=overwrite) as partial:
        partial.write_text(_page(pair, found, cards), "utf-8")


def _page(pair: Pair, found: PairMeasures, cards: str) -> str:
    rows = "\n".join(
        f"<tr><td>{escape(name)}</td><td>{value:.3f}</td><td>{escape(meaning)}</td></tr>"
        for name, value, meaning in measure_rows(found)
    )
    asked = pair.recipe.pairing or "none: the networks found a mapping of their own"
    return f"""<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Sounds and drawings</title>
<style>{CSS}</style>
<h1>Sounds and drawings</h1>
<p>Asked for: {escape(asked)}. Each sound, the stroke drawn for it, and what the stroke sings.
None of them was learned.</p>
<div class="wide"><table>
{rows}
</table></div>
<div class="cards">
{cards}
</div>
</html>
"""


def _card(sound: Sounds, stroke: FloatArray, sung: FloatArray) -> str:
    name, svg = sound.names[0], stroke_svg(stroke)
    return f"""<figure class="card">
<figcaption>{escape(name)}</figcaption>
<div><img alt="its spectrum" src="{_data("image/png", spectrum_picture(sound.spectra[0]))}">
<img alt="its stroke" src="{_data("image/svg+xml", svg.encode())}"></div>
<audio controls preload="none" aria-label="{escape(name)}" src="{_wav(sound.windows[0])}"></audio>
<audio controls preload="none" aria-label="what the stroke sings" src="{_wav(sung)}"></audio>
</figure>"""


def _data(kind: str, content: bytes) -> str:
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"


def _wav(samples: FloatArray) -> str:
    import soundfile

    file = io.BytesIO()
    soundfile.write(file, np.clip(samples, -1, 1), RATE, "PCM_16", format="WAV")
    return _data("audio/wav", file.getvalue())
