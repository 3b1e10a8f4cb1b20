"""The command line itself: how it begins and how it ends."""

from __future__ import annotations

import errno
import os
import signal
import sys
import tempfile
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from frame2sound import __version__
from frame2sound.cli.options import Verbose
from frame2sound.cli.terminal import OutputError, escaped, flush_stdout, say, silence_stdout
from frame2sound.errors import Frame2SoundError

_UsageError: Any = typer.BadParameter.__base__
"""Wrong usage, as the parser of the command line says it."""


class _Commands(TyperGroup):
    """Ends with 0 done, 1 failed (one line), 2 wrong usage, 130 interrupted, 141 pipe closed."""

    def make_context(self, *args: Any, **more: Any) -> Any:
        with _usage_escaped():
            return super().make_context(*args, **more)

    def invoke(self, ctx: Any) -> Any:
        try:
            with _usage_escaped():
                return super().invoke(ctx)
        except Frame2SoundError as error:
            if (ctx.find_root().obj or {}).get("verbose"):
                traceback.print_exc()
            _complain(*getattr(error, "lines", [str(error)]))
            raise typer.Exit(1) from error
        except KeyboardInterrupt as error:
            _complain("interrupted; what was done is kept")
            raise typer.Exit(130) from error


@contextmanager
def _usage_escaped() -> Iterator[None]:
    """Escape what a message on wrong usage repeats of the command line."""
    try:
        yield
    except _UsageError as error:
        error.message = escaped(error.message)
        raise


app = typer.Typer(
    cls=_Commands,
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _show_version(wanted: bool) -> None:
    if wanted:
        say(f"frame2sound {__version__}")
        raise typer.Exit


@app.callback()
def _top(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show it.")
    ] = False,
    verbose: Verbose = False,
) -> None:
    """Learn what films sound like; play that sound to pictures never seen."""


def _complain(*lines: str) -> None:
    first, *others = lines
    say(f"frame2sound: {first}", err=True)
    for line in others:
        say(line, err=True)


def main() -> None:
    """Run the command line; being told to end (SIGTERM) is like Ctrl-C."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        try:
            app()
        except SystemExit as ended:
            if ended.code == 130:  # a further Ctrl-C finds nothing left to save
                signal.signal(signal.SIGINT, lambda number, frame: os._exit(130))
            flush_stdout()
            if isinstance(ended.__context__, BrokenPipeError):  # as click ends by itself
                raise ended.__context__ from None
            raise
    except BrokenPipeError:  # whoever read it wants no more
        silence_stdout()
        sys.exit(141)
    except Exception as error:
        if {"-v", "--verbose"} & set(sys.argv):
            traceback.print_exc()
        _complain(_unforeseen(error))
        sys.exit(1)


def _unforeseen(error: Exception) -> str:
    """Return what to say of an error that nothing in the program has made a sentence of."""
    try:
        flush_stdout()  # what could not be written then cannot be now
    except OutputError as closed:
        return str(closed)
    if isinstance(error, Frame2SoundError):
        return str(error)
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        folder = Path(error.filename).parent if error.filename else tempfile.gettempdir()
        return (
            f"the disk is full: {folder}; make room, or set TMPDIR to a folder on another disk, "
            "and run the command again"
        )
    if isinstance(error, OSError) and isinstance(error.filename, str):
        why = (error.strerror or str(error)).lower()
        return f"{error.filename} cannot be read or written ({why}); expected a file that can be"
    text = " ".join(f"{type(error).__name__}: {error}".split())
    return f"this should not have happened ({text}); -v shows where; please report it"
