"""The files that are written beside a soundtrack: their options, and what they may not be."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from frame2sound.errors import SoundtrackError

if TYPE_CHECKING:
    from frame2sound.api.render_options import RenderOptions
    from frame2sound.rendering.effects import EffectChain
    from frame2sound.rendering.export.exports import Exports

EXPORTS = "events_out", "markers", "midi", "stems", "otio", "reaper", "waveform"
"""The options of `render` that name such files."""


def exports_of(options: RenderOptions) -> Exports:
    """Return the files that options of `render` ask for."""
    from frame2sound.rendering.export.exports import Exports

    given = {name: getattr(options, name) for name in EXPORTS}
    return Exports(**{name: None if path is None else Path(path) for name, path in given.items()})


def check_effects(options: RenderOptions, effects: EffectChain | None) -> None:
    """Raise `SoundtrackError` if stems with these effects would not add up to the soundtrack."""
    if options.stems is not None and effects is not None and effects.not_additive:
        raise SoundtrackError(
            f"got `stems` and the effect {effects.not_additive[0]}, expected effects that add up "
            "from stem to stem; leave it out, and apply it in another program"
        )


def check_one_animation(options: RenderOptions, animations: Collection[Path]) -> None:
    """Raise `SoundtrackError` if one file is asked for that several animations would have."""
    for name in ("events", *EXPORTS):
        file = getattr(options, name)
        if file is not None and len(animations) > 1:
            raise SoundtrackError(
                f"got one file `{name}={file}` for {len(animations)} animations, expected one "
                "animation; render them one by one"
            )


def check_no_single_files(options: RenderOptions) -> None:
    """Raise `SoundtrackError` if a file of one animation is asked for where a folder is watched."""
    for name in ("events", *EXPORTS):
        file = getattr(options, name)
        if file is not None:
            raise SoundtrackError(
                f"got one file `{name}={file}` for all animations of a folder, expected none; "
                "render that animation by itself"
            )


def check_names(exports: Exports, outputs: Iterable[Path]) -> None:
    """Raise `SoundtrackError` if two outputs have one name."""
    named = {out.absolute(): "out" for out in outputs}
    for name, path in exports.files():
        other = named.setdefault(path.absolute(), name)
        if other != name:
            raise SoundtrackError(f"got {path} as `{other}` and as `{name}`, expected two names")
