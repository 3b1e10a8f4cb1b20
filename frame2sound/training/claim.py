"""Claims: one training at a time writes a brain."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from frame2sound.errors import TrainingError
from frame2sound.locks import holding
from frame2sound.training.together import Group


@contextmanager
def claimed(out: Path, group: Group) -> Iterator[None]:
    """Keep other trainings from writing ``out`` as long as this lasts.

    Of several processes that train together only the first holds it.

    Raises
    ------
    TrainingError
        Another training holds it, or its folder cannot be written.
    """
    if not group.leads:
        yield
        return
    lock = out.with_name(f".{out.name}.lock")
    taken = (
        f"{out} is being trained by {{holder}}; "
        "wait until that is done, or end it, or choose another --out"
    )
    with holding(out, lock, lock.with_name(f"{lock.name}.json"), TrainingError, taken):
        try:
            yield
        finally:
            with suppress(OSError):  # while it is still held: who comes meanwhile finds it gone
                lock.unlink()
