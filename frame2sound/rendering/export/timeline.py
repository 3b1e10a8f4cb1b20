"""OpenTimelineIO: the picture and the sound as clips, with a named marker for each event."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

from frame2sound.atomic import atomic_write
from frame2sound.errors import SoundtrackError
from frame2sound.extras import import_extra
from frame2sound.rendering.export.markers import DeliveredSound, Marker
from frame2sound.rendering.export.stems import Stem

_ROUNDING_FRAMES = Fraction(1, 10**6)
"""Times in floating point are earlier than the frame that they mean by less than this."""


def write_timeline(
    path: Path,
    sound: DeliveredSound,
    markers: Sequence[Marker],
    stems: Sequence[Stem] = (),
    *,
    overwrite: bool = False,
) -> None:
    """Write a timeline at the frame rate of the picture, which begins with the delivered sound.

    It has a track for the picture, and one for the sound or for each stem. Markers belong to the
    whole; each is at the frame in which its event begins.

    Raises
    ------
    SoundtrackError
        The file exists and ``overwrite`` is false, or it cannot be written.
    MissingPackageError
        OpenTimelineIO is not installed.
    """
    otio = import_extra("opentimelineio", "exports", "`otio`")
    timeline = otio.schema.Timeline(_text(path.stem))
    sounds = stems or [Stem("sound", sound.path)]
    timeline.tracks.append(_track(otio, "picture", "Video", _picture_clip(otio, sound)))
    for stem in sounds:
        timeline.tracks.append(_track(otio, stem.name, "Audio", _sound_clip(otio, stem, sound)))
    timeline.tracks.markers.extend([_marker(otio, marker, sound) for marker in markers])
    with atomic_write(path, SoundtrackError, overwrite=overwrite) as partial:
        partial.write_text(timeline.to_json_string() + "\n", encoding="utf-8")


def frame_of(marker: Marker, sound: DeliveredSound) -> int:
    """Return the frame of the delivered picture in which a marker's event begins."""
    seconds = Fraction(marker.event.time_seconds) - sound.start_seconds
    return max(int(seconds * sound.fps + _ROUNDING_FRAMES), 0)


def _track(otio: Any, name: str, kind: str, clip: Any) -> Any:
    track = otio.schema.Track(_text(name), kind=kind)
    track.append(clip)
    return track


def _picture_clip(otio: Any, sound: DeliveredSound) -> Any:
    """Return a clip of the film that was written, or of the animation if only sound was."""
    is_film = sound.path.suffix.lower() != ".wav"
    path = sound.path if is_film else sound.animation
    first = 0 if is_film else round(sound.start_seconds * sound.fps)
    return _clip(otio, path.name, path, first, round(sound.seconds * sound.fps), float(sound.fps))


def _sound_clip(otio: Any, stem: Stem, sound: DeliveredSound) -> Any:
    return _clip(otio, stem.name, stem.path, 0, sound.sample_count, float(sound.sample_rate))


def _clip(otio: Any, name: str, path: Path, first: int, count: int, rate: float) -> Any:
    time = otio.opentime.RationalTime
    available = otio.opentime.TimeRange(time(0, rate), time(first + count, rate))
    played = otio.opentime.TimeRange(time(first, rate), time(count, rate))
    media = otio.schema.ExternalReference(path.absolute().as_uri(), available)
    return otio.schema.Clip(_text(name), media, played)


def _marker(otio: Any, marker: Marker, sound: DeliveredSound) -> Any:
    rate = float(sound.fps)
    at = otio.opentime.RationalTime(frame_of(marker, sound), rate)
    span = otio.opentime.TimeRange(at, otio.opentime.RationalTime(1, rate))
    event = marker.event
    details = {
        "sample": marker.sample,
        "sample_rate": marker.sample_rate,
        "level_db": event.level_db,
        "film": None if event.film is None else _text(event.film),
        "film_seconds": event.film_seconds,
    }
    return otio.schema.Marker(
        _text(marker.name), marked_range=span, metadata={"frame2sound": details}
    )


def _text(name: str) -> str:
    """Return a name as UTF-8 can hold it."""
    return name.encode("utf-8", "replace").decode()
