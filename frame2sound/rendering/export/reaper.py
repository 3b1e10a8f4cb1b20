"""Reaper projects: the soundtrack or its stems as items, and a marker for each event."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from frame2sound.atomic import atomic_write
from frame2sound.errors import SoundtrackError
from frame2sound.extras import import_extra
from frame2sound.rendering.events.event_units import LEAD_SECONDS
from frame2sound.rendering.export.markers import DeliveredSound, Marker
from frame2sound.rendering.export.stems import REST, Stem

NO_FADE = "1 0 0 1 0 0 0"
"""A straight fade of no length, so that items of one file join without a gap."""


@dataclass(frozen=True)
class ItemSpan:
    """A part of a file that is an item by itself, at the place that it has in the file.

    Attributes
    ----------
    name : str
    first, end : int
        Samples of the file.
    snap : int
        Where the attack is, in samples from ``first``.
    """

    name: str
    first: int
    end: int
    snap: int


def write_reaper(
    path: Path,
    sound: DeliveredSound,
    markers: Sequence[Marker],
    stems: Sequence[Stem] = (),
    *,
    overwrite: bool = False,
) -> None:
    """Write a Reaper project with a track for the soundtrack, or for each stem.

    A stem is cut into an item for each of its events. Files in the project's folder, and below, are
    named relative to it, so that the folder can be moved.

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
    if not stems:
        whole = Stem(sound.path.stem, sound.path)
        project.add(_track(nodes, whole, item_spans(whole.name, [], sound), sound, path.parent))
    for stem in stems:
        own = [each for each in markers if (each.event.film or REST) == stem.name]
        project.add(_track(nodes, stem, item_spans(stem.name, own, sound), sound, path.parent))
    with atomic_write(path, SoundtrackError, overwrite=overwrite) as partial:
        project.write(str(partial))


def item_spans(name: str, markers: Sequence[Marker], sound: DeliveredSound) -> Iterator[ItemSpan]:
    """Yield the parts of a stem, which begin with events and together are the whole of it.

    A part begins as long before the attack as a sound of a film does, if that is after the event
    before. What sounds before the first event is a part by itself, with the name of the stem.
    """
    lead, starts = round(LEAD_SECONDS * sound.sample_rate), {0: (name, 0)}
    for marker in sorted(markers, key=lambda each: each.sample):
        last = max(starts)
        first = max(marker.sample - lead, last)
        if first > last or not starts[last][1]:  # else both attacks are in one part
            starts[first] = marker.name, marker.sample - first
    for first, end in pairwise([*starts, sound.sample_count]):
        if end > first:
            part, snap = starts[first]
            yield ItemSpan(part, first, end, snap)


def _track(
    nodes: Any, stem: Stem, spans: Iterator[ItemSpan], sound: DeliveredSound, folder: Path
) -> Any:
    file = _relative(stem.path, folder)
    items = [_item(nodes, file, span, sound.sample_rate) for span in spans]
    return nodes.Track(*items, name=_text(stem.name))


def _item(nodes: Any, file: str, span: ItemSpan, sample_rate: int) -> Any:
    source = nodes.Source(file=file)
    source.name = "SOURCE WAVE" if file.lower().endswith(".wav") else "SOURCE VIDEO"
    item = nodes.Item(source)
    times = {
        "POSITION": span.first,
        "LENGTH": span.end - span.first,
        "SOFFS": span.first,
        "SNAPOFFS": span.snap,
    }
    item.props += [[field, f"{at / sample_rate:.9f}"] for field, at in times.items()]
    item.props += [["FADEIN", NO_FADE], ["FADEOUT", NO_FADE], ["LOOP", "0"]]
    item.props.append(["NAME", f'"{_text(span.name)}"'])
    return item


def _relative(path: Path, folder: Path) -> str:
    path, folder = path.absolute(), folder.absolute()
    return _text(str(path.relative_to(folder) if path.is_relative_to(folder) else path))


def _text(name: str) -> str:
    """Return a name that ends no quotation and no line, as UTF-8 can hold it."""
    plain = "".join(character if character.isprintable() else "?" for character in name)
    return plain.replace('"', "'").encode("utf-8", "replace").decode()
