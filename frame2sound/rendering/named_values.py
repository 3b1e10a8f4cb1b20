"""Read settings that are written as ``NAME=VALUE``."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from frame2sound.errors import SoundtrackError


def parse_named_values(
    settings: Iterable[str], names: Collection[str], subject: str
) -> dict[str, str]:
    """Return the text of each setting by its name.

    Parameters
    ----------
    settings : iterable of str
        Each ``NAME=VALUE``.
    names : collection of str
        The names that are known.
    subject : str
        What is set, for the error: ``the mosaic's``.

    Raises
    ------
    SoundtrackError
        A setting has another form or an unknown name, or is given twice.

    Examples
    --------
    >>> parse_named_values(["size = 3"], ["size"], "the cloud's")
    {'size': '3'}
    """
    values: dict[str, str] = {}
    for setting in settings:
        name, equals, text = (part.strip() for part in setting.partition("="))
        if not equals or name not in names:
            known = ", ".join(names)
            raise SoundtrackError(f"got {subject} {setting!r}, expected NAME=VALUE of {known}")
        if name in values:
            raise SoundtrackError(f"got {subject} {name} twice, expected it once")
        values[name] = text
    return values
