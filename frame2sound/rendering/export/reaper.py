"""Reaper projects: the soundtrack or its stems as items, and a marker for each event."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from frame2sound.atomic import atomic_write
from frame2sound.errors import SoundtrackError
from frame2sound.extras import import_extra
from frame2sound.rendering.export.markers import DeliveredSound, Marker
from frame2sound.rendering.export.stems import Stem


def write_reaper(
    path: Path,
    sound: DeliveredSound,
    markers: Sequence[Marker],
    stems: Sequence[Stem] = (),
    *,
    overwrite: bool = False,
) -> None:
    """Write a Reaper project with a track for the soundtrack, or for each stem.

    Files in the project's folder, and below, are named relative to it, so that the folder can be
    moved.

    Raises
    ------
    SoundtrackError
        The file exists and ``overwrite`` is false, or it cannot be written.
    MissingPackageError
        reathon is not installed.
    """
    nodes = import_extra("reathon.nodes", "exports", "`reaper`")
    project = nodes.Project()
    project.props.append(["SAMPLERATE", f"{sound.sample_rate} 1 0"])
    for marker in markers:
        index = len(project.props)
        project.add_marker(index, f"{float(marker.seconds):.9f}", _text(marker.name))
    for stem in stems or [Stem(sound.path.stem, sound.path)]:
        project.add(_track(nodes, stem, sound, path.parent))
    with atomic_write(path, SoundtrackError, overwrite=overwrite) as partial:
        project.write(str(partial))


def _track(nodes: Any, stem: Stem, sound: DeliveredSound, folder: Path) -> Any:
    name = _text(stem.name)
    source = nodes.Source(file=_relative(stem.path, folder))
    is_wav = stem.path.suffix.lower() == ".wav"
    source.name = "SOURCE WAVE" if is_wav else "SOURCE VIDEO"
    length = f"{float(sound.seconds):.9f}"
    item = nodes.Item(source)
    item.props += [["POSITION", "0"], ["LENGTH", length], ["LOOP", "0"], ["NAME", f'"{name}"']]
    return nodes.Track(item, name=name)


def _relative(path: Path, folder: Path) -> str:
    path, folder = path.absolute(), folder.absolute()
    return _text(str(path.relative_to(folder) if path.is_relative_to(folder) else path))


def _text(name: str) -> str:
    """Return a name that ends no quotation and no line, as UTF-8 can hold it."""
    plain = "".join(character if character.isprintable() else "?" for character in name)
    return plain.replace('"', "'").encode("utf-8", "replace").decode()
