"""Sound files as libsndfile reads them."""

from __future__ import annotations

import os
from pathlib import Path

import soundfile


def open_sound_file(path: Path) -> soundfile.SoundFile:
    """Return a sound file, open for reading, whatever bytes its name has.

    Raises
    ------
    soundfile.SoundFileError, OSError
        It cannot be read as a sound file.
    """
    try:
        return soundfile.SoundFile(os.fsencode(path))
    except TypeError as error:  # a file that is called .raw is taken for samples alone
        raise soundfile.SoundFileError(f"{path} does not say its sample rate") from error
