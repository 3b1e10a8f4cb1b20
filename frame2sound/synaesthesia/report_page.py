"""A page about a pair: sounds, what is drawn for them, what that sings, and measures."""

from __future__ import annotations

import base64
import io
from html import escape
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from frame2sound.atomic import atomic_write
from frame2sound.errors import SynaesthesiaError
from frame2sound.synaesthesia.heard_drawings import hear_rasters
from frame2sound.synaesthesia.painter import paint_drawn
from frame2sound.synaesthesia.pair import Pair
from frame2sound.synaesthesia.report_rows import Row
from frame2sound.synaesthesia.sheet import in_order, spectrum_picture
from frame2sound.synaesthesia.singing import sing
from frame2sound.synaesthesia.sound_windows import RATE
from frame2sound.synaesthesia.sounds import Sounds
from frame2sound.synaesthesia.svg_writer import stroke_svg

FloatArray = NDArray[np.float32]

SHOWN = 24
"""Sounds on the page."""

PICTURE_PIXELS = 256
"""Width and height of the pictures of the raster kind."""

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


def write_report(
    path: Path, pair: Pair, sounds: Sounds, rows: list[Row], *, overwrite: bool = False
) -> None:
    """Write one page that needs no other file; sounds go from quiet to loud.

    Raises
    ------
    SynaesthesiaError
        The file exists or cannot be written.
    """
    places = np.linspace(0, len(sounds) - 1, min(SHOWN, len(sounds))).round().astype(int)
    chosen = in_order(sounds.spectra)[places]
    drawn = pair.draw_components(pair.components.transform(sounds.spectra[chosen]))
    sung = sing(pair, hear_rasters(pair, pair.rasters(drawn))).reshape(-1, RATE)
    cards = "\n".join(
        _card(sounds.select(np.array([index])), one[None], heard)
        for index, one, heard in zip(chosen, drawn, sung, strict=True)
    )
    with atomic_write(path, SynaesthesiaError, overwrite=overwrite) as partial:
        partial.write_text(_page(pair, rows, cards), "utf-8")


def _page(pair: Pair, rows: list[Row], cards: str) -> str:
    table = "\n".join(
        f"<tr><td>{escape(name)}</td><td>{value:.3f}</td><td>{escape(meaning)}</td></tr>"
        for name, value, meaning in rows
    )
    asked = pair.recipe.pairing or "none: the networks found a mapping of their own"
    return f"""<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Sounds and drawings</title>
<style>{CSS}</style>
<h1>Sounds and drawings</h1>
<p>Asked for: {escape(asked)}. Each sound, what is drawn for it, and what that sings.
None of them was learned.</p>
<div class="wide"><table>
{table}
</table></div>
<div class="cards">
{cards}
</div>
</html>
"""


def _card(sound: Sounds, drawn: FloatArray, sung: FloatArray) -> str:
    name = sound.names[0]
    return f"""<figure class="card">
<figcaption>{escape(name)}</figcaption>
<div><img alt="its spectrum" src="{_data("image/png", spectrum_picture(sound.spectra[0]))}">
<img alt="its drawing" src="{_drawing(drawn)}"></div>
<audio controls preload="none" aria-label="{escape(name)}" src="{_wav(sound.windows[0])}"></audio>
<audio controls preload="none" aria-label="what the drawing sings" src="{_wav(sung)}"></audio>
</figure>"""


def _drawing(drawn: FloatArray) -> str:
    if drawn.ndim == 2:
        return _data("image/svg+xml", stroke_svg(drawn).encode())
    import cv2

    picture = paint_drawn(drawn, PICTURE_PIXELS)[..., ::-1]
    return _data("image/png", bytes(cv2.imencode(".png", picture)[1]))


def _data(kind: str, content: bytes) -> str:
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"


def _wav(samples: FloatArray) -> str:
    import soundfile

    file = io.BytesIO()
    soundfile.write(file, np.clip(samples, -1, 1), RATE, "PCM_16", format="WAV")
    return _data("audio/wav", file.getvalue())
