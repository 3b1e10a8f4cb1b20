"""The errors that frame2sound raises on purpose: one root, one subclass per kind of object.

Each message is one line that says what was given, what was expected and what to do.
"""


class Frame2SoundError(Exception):
    """Root of every error that a user can correct; the command line prints it and exits with 1."""


class MissingPackageError(Frame2SoundError):
    """An optional package is not installed."""


class BatchError(Frame2SoundError):
    """Some of several films failed: the first line says how many, each further line why one did."""

    def __init__(self, *lines: str) -> None:
        super().__init__("\n".join(lines))
        self.lines = lines


class FilmError(Frame2SoundError):
    """A film or animation cannot be read."""


class DamagedFilmError(FilmError):
    """A film is truncated or corrupt and can be read only in part."""


OR_USE_DAMAGED = ", or use what can be read with `allow_damaged=True`"
"""What a `DamagedFilmError` advises those who can choose it."""


class LibraryError(Frame2SoundError):
    """A library is missing, empty, incomplete or of another kind than expected."""


class RecipeError(Frame2SoundError):
    """A recipe is unknown or has an invalid setting."""


class BrainError(Frame2SoundError):
    """A brain's file is invalid, or the brain's output is."""


class TrainingError(Frame2SoundError):
    """Training cannot start or continue."""


class DivergedError(TrainingError):
    """Losses or weights are not finite, or grow instead of falling."""


class SoundtrackError(Frame2SoundError):
    """A soundtrack cannot be made or written as requested."""


class ComparisonError(Frame2SoundError):
    """A comparison cannot be made or written as requested."""


class CarrierError(Frame2SoundError):
    """A sound cannot be turned into pictures as requested, or pictures carry no sound."""


class SonificationError(Frame2SoundError):
    """A picture cannot be read or turned into sound as requested."""


class SynaesthesiaError(Frame2SoundError):
    """Sounds and drawings cannot be read, or networks between them not be trained or used."""


class ListeningError(Frame2SoundError):
    """A sound cannot be listened to, or what was heard in it cannot be used as requested."""


class SortingError(Frame2SoundError):
    """Films cannot be sorted by their sound, or a judge cannot be read or used."""


class DreamError(Frame2SoundError):
    """There is no sound to dream of, or a dream cannot be made or written as requested."""


class StudioError(Frame2SoundError):
    """The studio cannot start, or cannot do what its page asks."""


def error_reason(error: Exception) -> str:
    """Return the reason that an error gives, without file names, in lower case.

    Examples
    --------
    >>> error_reason(FileNotFoundError(2, "No such file or directory", "film.mp4"))
    'no such file or directory'
    """
    return str(getattr(error, "strerror", None) or error).lower()
