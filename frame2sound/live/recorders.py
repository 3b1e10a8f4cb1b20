"""Record sound and pictures together: what one cannot write does not lose the other's file."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from frame2sound.errors import SoundtrackError
from frame2sound.live.picture_recorder import PictureRecorder, open_picture_recorder
from frame2sound.live.recording import SoundRecorder, open_recorder


@dataclass
class Recorders:
    """The recorders of sound and pictures, each None for no file.

    Attributes
    ----------
    failures : dict of str to str
        At the end: what could not be written, ``record`` or ``record_picture``, and why.
    """

    sound: SoundRecorder | None = None
    pictures: PictureRecorder | None = None
    failures: dict[str, str] = field(default_factory=dict)


@contextmanager
def open_recorders(
    sound: Path | None, pictures: Path | None, sample_rate: int, fps: float, *, overwrite: bool
) -> Iterator[Recorders]:
    """Yield recorders; files appear at the end, also where one could not be written.

    Raises
    ------
    SoundtrackError
        Before the start: a file exists and ``overwrite`` is false, it cannot be written, or its
        container cannot hold the pictures.
    """
    recorders, is_played = Recorders(), False

    @contextmanager
    def noting(name: str) -> Iterator[None]:
        try:
            yield
        except SoundtrackError as error:
            if not is_played:
                raise
            recorders.failures[name] = str(error)

    with ExitStack() as stack:
        stack.enter_context(noting("record"))
        recorders.sound = stack.enter_context(
            open_recorder(sound, sample_rate, overwrite=overwrite)
        )
        stack.enter_context(noting("record_picture"))
        recorders.pictures = stack.enter_context(
            open_picture_recorder(pictures, sample_rate, fps, overwrite=overwrite)
        )
        yield recorders
        is_played = True
