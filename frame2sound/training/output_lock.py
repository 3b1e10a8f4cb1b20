"""Claims: one training at a time writes a brain."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from frame2sound.errors import TrainingError
from frame2sound.locks import exclusive_lock
from frame2sound.training.distributed import ProcessGroup


@contextmanager
def lock_output(out: Path, group: ProcessGroup) -> Iterator[None]:
    """Keep other trainings from writing ``out`` as long as this lasts.

    Of several processes that train together only the first holds it.

    Raises
    ------
    TrainingError
        Another training holds it, or its folder cannot be written.
    """
    if not group.is_main:
        yield
        return
    lock = out.with_name(f".{out.name}.lock")
    taken = (
        f"{out} is being trained by {{holder}}; "
        "wait until that is done, or end it, or choose another --out"
    )
    with exclusive_lock(out, lock, lock.with_name(f"{lock.name}.json"), TrainingError, taken):
        try:
            yield
        finally:
            with suppress(OSError):  # while it is still held: who comes meanwhile finds it gone
                lock.unlink()
