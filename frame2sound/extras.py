"""Optional packages, which are imported where they are used and named where they are missing."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import Any

from frame2sound.errors import MissingPackageError


def import_extra(module: str, extra: str, purpose: str) -> Any:
    """Return an optional module.

    Parameters
    ----------
    module : str
    extra : str
        The extra of frame2sound that installs it.
    purpose : str
        What needs it, as a parameter in backticks.

    Raises
    ------
    MissingPackageError
        It is not installed.
    """
    require_extra(module, extra, purpose)
    return import_module(module)


def require_extra(module: str, extra: str, purpose: str) -> None:
    """Raise `MissingPackageError` if an optional module is not installed; do not import it."""
    if find_spec(module.partition(".")[0]) is None:
        raise MissingPackageError(
            f"{purpose} needs {module.partition('.')[0]}, which is not installed; install it with: "
            f'pip install "frame2sound[{extra}]"'
        )
