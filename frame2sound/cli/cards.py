"""What is printed of results: JSON, and the cards of recipes and brains."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

from frame2sound.cli.terminal import say_json

if TYPE_CHECKING:
    from frame2sound.brain.corpus import Corpus, CorpusPointer
    from frame2sound.brain.recipe import Recipe

HEARD = 0.98
"""Held-out losses from here on are no better than silence's."""


def print_json(value: Any) -> None:
    """Print plain values as JSON."""
    say_json(json.dumps(_without_nan(value), indent=1, ensure_ascii=False, allow_nan=False))


def _without_nan(value: Any) -> Any:
    """Return the same values; JSON has no infinity and no NaN, so that null stands for them."""
    if isinstance(value, dict):
        return {key: _without_nan(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_without_nan(each) for each in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def card(provenance: dict[str, Any]) -> list[str]:
    """Return what a person wants to know of where a brain comes from; silence scores 1."""
    from frame2sound.brain.brain_file import parse_provenance
    from frame2sound.library.calibration import CALIBRATION_NAME

    told = parse_provenance(provenance)
    if not told.known:
        return ["it does not say what it learned from"]
    pairs, best = told.pairs, max(told.best_epoch - 1, 0)
    names = [film.name for film in told.films]
    screens = " and of black and white screens" if CALIBRATION_NAME in names else ""
    lines = [
        f"learned {pairs.learned} pairs of {_films(len(names) - (CALIBRATION_NAME in names))}{screens} "
        f"in {told.seconds:.0f} s, {told.epochs} epochs"
    ]
    held = told.held_out_loss[best] if told.held_out_loss else None
    if not told.loss:
        lines.append("interrupted in its first epoch")
    elif held is None or told.held_out_loss_of_mean is None:
        loss = told.loss[best]
        lines.append(f"loss {loss:.3f} (silence 1.000); the library is too short to hold any out")
    else:
        lines.append(
            f"held-out loss {held:.3f} (silence 1.000, the mean sound "
            f"{told.held_out_loss_of_mean:.3f}), {pairs.held_out} pairs"
        )
        if held >= HEARD:
            lines.append("no better than silence on held-out film: it replays what it remembers")
    if told.brightness_share:
        lines.append(f"its loudness follows the light alone by {told.brightness_share:.0%}")
    return lines


def _films(count: int) -> str:
    return f"{count} film{'s' * (count != 1)}"


def way(recipe: Recipe) -> str:
    """Return what enters a network, its hidden layers and what it gives, each with its size."""
    from frame2sound.brain.config import Rnn, Tcn
    from frame2sound.brain.features import input_size
    from frame2sound.brain.targets import build_target

    enters, gives = (_kind(part) for part in (recipe.input, recipe.target))
    sizes = [f"{enters} {input_size(recipe.input)}", *map(str, recipe.network.hidden)]
    if isinstance(recipe.network, Rnn):
        sizes += [f"{recipe.network.cell} {width}" for width in recipe.network.memory]
    if isinstance(recipe.network, Tcn):
        sizes.append(f"tcn {recipe.network.layers}x{recipe.network.channels}")
    return " - ".join([*sizes, f"{gives} {build_target(recipe).length}"])


def _kind(part: Any) -> str:
    """Return what a part of a recipe is called in its file."""
    return str(part.__struct_config__.tag)


def corpus_table(corpus: Corpus | CorpusPointer | None) -> dict[str, Any] | None:
    """Return what a brain has of its films' sound, as plain values."""
    from frame2sound.brain.corpus import Corpus

    if corpus is None:
        return None
    if isinstance(corpus, Corpus):
        seconds = round(corpus.seconds, 2)
        return {"kind": "carried", "seconds": seconds, "films": list(corpus.films)}
    return {"kind": "pointed", "library": corpus.library, "films": sorted(corpus.films)}


def corpus_line(corpus: Corpus | CorpusPointer | None) -> str:
    """Return the same in a line."""
    table = corpus_table(corpus)
    if table is None:
        return "no sound of its films: mosaics need --corpus LIBRARY"
    films = _films(len(table["films"]))
    if table["kind"] == "carried":
        return f"carries {table['seconds']:.1f} s of {films} for mosaics"
    return f"mosaics take the sound of {films} from {table['library']}"
