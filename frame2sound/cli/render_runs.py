"""Runs of `render`: several animations one after another, or all that are put into a folder."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from frame2sound.cli.app import say_lines
from frame2sound.cli.options import print_json
from frame2sound.errors import BatchError, Frame2SoundError
from frame2sound.progress_bars import ProgressBars
from frame2sound.terminal import say, say_json

if TYPE_CHECKING:
    from frame2sound.api.rendering import RenderJob


def watch_folder(job: RenderJob, folder: Path, out: Path | None, as_json: bool) -> None:
    """Render what is put into a folder; Ctrl-C is how it ends, and no error."""
    from frame2sound.api.exporting import check_no_single_files
    from frame2sound.api.records import plain_values
    from frame2sound.api.watching import FailedSoundtrack, FolderWatcher, watch_films

    check_no_single_files(job.options)
    watcher, failed, made = FolderWatcher(folder), 0, 0
    say(f"watching {folder}; Ctrl-C ends it", err=True)
    with suppress(KeyboardInterrupt), ProgressBars() as progress:
        for result in watch_films(job, watcher, out or folder, progress.show):
            is_failure = isinstance(result, FailedSoundtrack)
            failed, made = failed + is_failure, made + (not is_failure)
            if as_json:
                say_json(json.dumps(plain_values(result.to_dict()), ensure_ascii=False))
            else:
                say_lines(result.lines(), err=is_failure)
    counts = f"{made} soundtrack{'' if made == 1 else 's'} rendered"
    say(f"{counts}, {failed} failed" if failed else counts, err=True)


def render_all(job: RenderJob, outputs: dict[Path, Path], as_json: bool) -> None:
    """Render one animation after another; one that fails does not stop the others."""
    rows: list[dict[str, Any]] = []
    errors: list[str] = []
    with ProgressBars() as progress:
        for animation, out in outputs.items():
            try:
                result = job.render(animation, out, progress.show)
            except Frame2SoundError as error:
                if len(outputs) == 1:
                    raise
                errors.append(str(error))
                continue
            rows.append(result.to_dict())
            if not as_json:
                say_lines(result.lines())
    if as_json:
        print_json({"soundtracks": rows, "errors": errors})
    if errors:
        others = ", the others are done" if rows else ""
        count = f"{len(errors)} of {len(outputs)} animations not rendered{others}:"
        raise BatchError(count, *(f"  {error}" for error in errors))
