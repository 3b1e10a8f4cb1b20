"""The errors that frame2sound raises on purpose: one root, one subclass a noun.

Each message is one line that says what was got, what was expected and what to do.
"""


class Frame2SoundError(Exception):
    """Root of every error that a user can mend; the command line prints it and exits with 1."""


class BatchError(Frame2SoundError):
    """Some of several films failed: the first line says how many, each other one of them why."""

    def __init__(self, *lines: str) -> None:
        super().__init__("\n".join(lines))
        self.lines = lines


class FilmError(Frame2SoundError):
    """A film or animation cannot be read."""


class DamagedFilmError(FilmError):
    """A film can be read only in part: it is truncated or corrupt."""


class LibraryError(Frame2SoundError):
    """A library is missing, empty, half-written or of another kind than asked for."""


class RecipeError(Frame2SoundError):
    """A recipe is unknown or says something impossible."""


class BrainError(Frame2SoundError):
    """A brain's file is not what it should be, or a brain's output is not sound."""


class TrainingError(Frame2SoundError):
    """Training cannot begin or go on."""


class SoundtrackError(Frame2SoundError):
    """A soundtrack cannot be written where or as it was asked for."""


class ComparisonError(Frame2SoundError):
    """A comparison cannot be made as it was asked for, or where."""
