"""Results as records that print well and turn into dictionaries and tables."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any, TypeVar

from frame2sound.errors import MissingPackageError


class Record:
    """Base of results: `str` gives what the command line prints."""

    def lines(self) -> list[str]:
        """Return what the command line prints, line by line."""
        raise NotImplementedError

    def to_dict(self) -> dict[str, Any]:
        """Return the result as plain values: what the command line prints with ``--json``."""
        raise NotImplementedError

    def rows(self) -> list[dict[str, Any]]:
        """Return the rows of the table that `to_pandas` makes."""
        return [self.to_dict()]

    def to_pandas(self) -> Any:
        """Return a ``pandas.DataFrame``.

        Raises
        ------
        MissingPackageError
            pandas is not installed.
        """
        return _data_frame(self.rows())

    def __str__(self) -> str:
        return "\n".join(self.lines())


R = TypeVar("R", bound=Record)


class RecordList(list[R]):
    """A list of results that turns into one table."""

    def to_pandas(self) -> Any:
        """Return a ``pandas.DataFrame``; `MissingPackageError` if pandas is not installed."""
        return _data_frame(row for record in self for row in record.rows())

    def __str__(self) -> str:
        return "\n".join(str(record) for record in self)


def plain_values(value: Any) -> Any:
    """Return a value as JSON holds it: tuples become lists, NaN and infinities become None."""
    if isinstance(value, dict):
        return {key: plain_values(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [plain_values(each) for each in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _data_frame(rows: Iterable[dict[str, Any]]) -> Any:
    try:
        from pandas import DataFrame
    except ImportError as error:
        raise MissingPackageError(
            "a table needs pandas, which is not installed; install it with: pip install pandas"
        ) from error
    return DataFrame(list(rows))


def count_films(count: int) -> str:
    """Return a number of films in words.

    Examples
    --------
    >>> count_films(1), count_films(3)
    ('1 film', '3 films')
    """
    return f"{count} film{'s' * (count != 1)}"
