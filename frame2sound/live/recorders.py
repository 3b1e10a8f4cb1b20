"""Record sound and pictures together: what one cannot write does not lose the other's file."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from frame2sound.errors import SoundtrackError
from frame2sound.live.picture_recorder import PictureRecorder, open_picture_recorder
from frame2sound.live.recording import SoundRecorder, open_recorder


@contextmanager
def open_recorders(
    sound: Path | None, pictures: Path | None, sample_rate: int, fps: float, *, overwrite: bool
) -> Iterator[tuple[SoundRecorder | None, PictureRecorder | None]]:
    """Yield the recorders of sound and pictures, each None for no file; files appear at the end.

    Raises
    ------
    SoundtrackError
        Before the start: a file exists and ``overwrite`` is false, it cannot be written, or its
        container cannot hold the pictures. At the end: one could not be written; the other is kept.
    """
    is_played, failure = False, None
    with open_recorder(sound, sample_rate, overwrite=overwrite) as sound_recorder:
        try:
            with open_picture_recorder(
                pictures, sample_rate, fps, overwrite=overwrite
            ) as picture_recorder:
                yield sound_recorder, picture_recorder
                is_played = True
        except SoundtrackError as error:
            if not is_played:
                raise
            failure = error
    if failure is not None:
        kept = "" if sound is None else f"; the sound is kept in {sound}"
        raise SoundtrackError(f"{failure}{kept}") from failure
