"""What takes long to find out about a film, kept beside it until its arrays change."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Annotated

import msgspec
import numpy as np
from msgspec import Meta
from numpy.typing import NDArray

from frame2sound.errors import LibraryError
from frame2sound.library.fingerprint import fingerprint
from frame2sound.library.folders import ARRAYS, CARD
from frame2sound.library.store import AGAIN, PickledFilm
from frame2sound.safe import whole_file
from frame2sound.sound.loudness import MIN_SAMPLE_RATE, LoudnessMeter
from frame2sound.untrusted import read_json

FINDINGS = "findings.json"
VERSION = 1
"""Of how they are found; others are found anew."""

SILENT_DB = -60.0
"""A tenth of a second whose loudest sample is below this level (dBFS) is silent."""

PIECE_SECONDS = 60
"""Seconds of sound in memory at once."""

TICK = 0.02
"""Seconds within which a file system may give two changes of a file the same time."""

MOST_FINDINGS = 1 << 16
"""Bytes of the file."""

Report = Callable[[float], None]
"""Called now and then with the seconds of film heard."""


@dataclass(frozen=True)
class Findings:
    """What was found in a film's arrays.

    ``loudness`` is in LUFS, None where all is silent or the sample rate is too low to tell;
    ``silent`` the share, 0 to 1, of what sounds that is silent; ``picture`` its fingerprint.
    """

    loudness: float | None
    silent: float
    picture: bytes


class _Kept(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The table of a ``findings.json``; ``files`` is the state of those that it was found in."""

    loudness: Annotated[float, Meta(ge=-1000, le=1000)] | None
    silent: Annotated[float, Meta(ge=0, le=1)]
    picture: str
    version: int
    files: list[list[int]]


def find(film: PickledFilm, report: Report = lambda seconds: None) -> Findings:
    """Return what is known of a film, or find it out and keep it beside the film if that can be.

    Raises
    ------
    LibraryError
        An array is damaged.
    """
    state = _settled(film.path)
    known = _known(film.path, state)
    if known is not None:
        return known
    found = Findings(*_listen(film, report), fingerprint(replace(film)))
    if _state(film.path) == state:
        _keep(film.path, state, found)
    return found


def _listen(film: PickledFilm, report: Report) -> tuple[float | None, float]:
    rate = film.card.sample_rate
    meter = LoudnessMeter(rate) if rate >= MIN_SAMPLE_RATE else None
    quiet = total = 0
    for piece in _pieces(film):
        if not np.isfinite(piece).all():
            raise LibraryError(f"{film.path}/sound.npy holds numbers that are not finite; {AGAIN}")
        if meter is not None:
            meter.update(piece)
        tenths = np.maximum.reduceat(np.abs(piece), np.arange(0, len(piece), rate // 10))
        quiet += int((tenths < 10 ** (SILENT_DB / 20)).sum())
        total += len(tenths)
        report(total / 10)
    loudness = -math.inf if meter is None else meter.integrated_lufs
    return (loudness if math.isfinite(loudness) else None), quiet / total if total else 1.0


def _pieces(film: PickledFilm) -> Iterator[NDArray[np.float32]]:
    """Yield what sounds of a film; mapped anew for each piece, so that none stays in memory."""
    begin, end = film.card.sounding
    step = PIECE_SECONDS * film.card.sample_rate
    for start in range(begin, end, step):
        yield np.array(replace(film).sound[start : min(start + step, end)])


def _state(folder: Path) -> list[list[int]]:
    """Return what changes when a file of a film does."""
    stats = []
    for name in (CARD, *ARRAYS):
        with suppress(FileNotFoundError):
            stat = (folder / name).lstat()
            stats.append([stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns])
    return stats


def _settled(folder: Path) -> list[list[int]]:
    """Return the same when any later change is sure to show in it."""
    state = _state(folder)
    if any(0 <= time.time() - changed / 1e9 < TICK for _, *times in state for changed in times):
        time.sleep(TICK)
        return _settled(folder)
    return state


def _known(folder: Path, state: list[list[int]]) -> Findings | None:
    try:
        kept = msgspec.convert(read_json(folder / FINDINGS, MOST_FINDINGS), _Kept)
        if (kept.version, kept.files) != (VERSION, state):
            return None
        return Findings(kept.loudness, kept.silent, bytes.fromhex(kept.picture))
    except (OSError, ValueError):
        return None


def _keep(folder: Path, state: list[list[int]], found: Findings) -> None:
    table = asdict(found) | {"picture": found.picture.hex(), "version": VERSION, "files": state}
    with suppress(LibraryError), whole_file(folder / FINDINGS, LibraryError) as partial:
        partial.write_text(json.dumps(table) + "\n")
