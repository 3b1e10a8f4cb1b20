"""The command line itself: how it starts, how it prints errors, and how it ends."""

from __future__ import annotations

import errno
import gc
import os
import re
import signal
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup

from frame2sound import __version__
from frame2sound.cli.messages import plain_help, usage_message, with_options
from frame2sound.cli.options import Verbose
from frame2sound.errors import Frame2SoundError
from frame2sound.terminal import OutputError, flush_stdout, say, silence_stdout

PROGRAM = "frame2sound"

GARBAGE_THRESHOLD = 20_000
"""Objects between two searches for cycles: imports make many, and hardly any of them garbage."""

NEW_NAMES = {
    "drop": "delete",
    "ground": "background",
    "most-hours": "max-hours",
    "most-megapixels": "max-megapixels",
    "prepare": "pickle",
}
"""Old names of options, and other names of commands, that are still accepted."""

ORDER = (
    "demo",
    "pickle",
    "train",
    "render",
    "live",
    "hear",
    "measure",
    "compare",
    "sort",
    "library",
    "brains",
    "films",
    "gallery",
    "studio",
    "to-picture",
    "to-sound",
    "sonify",
    "tones",
    "filter-picture",
    "dream",
    "synaesthesia",
)
"""The commands as they are listed: first the steps from a film to a soundtrack."""

_WITHOUT_TYPE = re.compile(r" <[^|]*>$")
"""The Python type after the name of an argument."""

_UsageError: Any = typer.BadParameter.__base__


class Command(TyperCommand):
    """A command whose help shows its options in groups."""

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        """Return the parts of the usage line, required arguments without braces."""
        return [
            piece.replace("{", "").replace("}", "") for piece in super().collect_usage_pieces(ctx)
        ]

    def help_groups(self, ctx: Any) -> dict[str, list[tuple[str, str]]]:
        """Return names and help of the arguments, then of each group of options, by title."""
        groups: dict[str, list[tuple[str, str]]] = {"Arguments": []}
        for parameter in self.get_params(ctx):
            record = parameter.get_help_record(ctx)
            is_argument = parameter.param_type_name == "argument"
            title = getattr(parameter, "rich_help_panel", None)
            if record is not None:
                name, text = _WITHOUT_TYPE.sub("", record[0]), plain_help(record[1])
                groups.setdefault(
                    "Arguments" if is_argument else title or "Other options", []
                ).append((name, text))
        other = groups.pop("Other options", [])
        if other:
            groups["Options" if set(groups) <= {"Arguments"} else "Other options"] = other
        return {title: records for title, records in groups.items() if records}

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write the arguments, then each group of options under its title."""
        for title, records in self.help_groups(ctx).items():
            with formatter.section(title):
                formatter.write_dl(records)


class _Commands(TyperGroup):
    """Ends with 0 done, 1 failed (one line), 2 wrong usage, 130 interrupted, 141 pipe closed."""

    def list_commands(self, ctx: Any) -> list[str]:
        return sorted(super().list_commands(ctx), key=ORDER.index)

    def make_context(self, *args: Any, **more: Any) -> Any:
        with _usage_errors():
            return super().make_context(*args, **more)

    def invoke(self, ctx: Any) -> Any:
        try:
            with _usage_errors():
                return super().invoke(ctx)
        except Frame2SoundError as error:
            if (ctx.find_root().obj or {}).get("verbose"):
                traceback.print_exc()
            _complain(*getattr(error, "lines", [str(error)]))
            raise typer.Exit(_exit_code(error)) from error
        except KeyboardInterrupt as error:
            _complain("interrupted; what was done is kept")
            raise typer.Exit(130) from error


@contextmanager
def _usage_errors() -> Iterator[None]:
    """Print wrong usage as one line, as all other errors."""
    try:
        yield
    except _UsageError as error:
        if type(error).__name__ == "NoArgsIsHelpError":
            raise
        _complain(usage_message(error))
        raise typer.Exit(2) from error


def _exit_code(error: Frame2SoundError) -> int:
    from frame2sound.api.parameters import ParameterError

    return 2 if isinstance(error, ParameterError) else 1


app = typer.Typer(
    cls=_Commands,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={
        "help_option_names": ["-h", "--help"],
        "token_normalize_func": lambda name: NEW_NAMES.get(name, name),
    },
)

Function = Callable[..., None]


def command(function: Function) -> Function:
    """Add a function to the command line, under its own name."""
    app.command(cls=Command)(function)
    return function


def _show_version(requested: bool) -> None:
    if requested:
        say(f"{PROGRAM} {__version__}")
        raise typer.Exit


@app.callback()
def _top(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_show_version, is_eager=True, help="Show the version and exit."
        ),
    ] = False,
    verbose: Verbose = False,
) -> None:
    """Learn the sound of films, and give animations a soundtrack."""


def say_lines(lines: list[str], *, err: bool = False) -> None:
    """Print the lines of a result, with its parameters as options."""
    for line in lines:
        say(with_options(line, option_names()) if "`" in line else line, err=err)


@cache
def option_names() -> set[str]:
    """Return the names of all options of all commands."""
    return {
        name
        for each in _leaves(typer.main.get_command(app))
        for parameter in each.params
        for name in (*parameter.opts, *parameter.secondary_opts)
        if name.startswith("--")
    }


def _leaves(command: Any) -> Iterator[Any]:
    """Yield the commands of a group and of the groups in it."""
    for each in getattr(command, "commands", {}).values():
        yield from _leaves(each)
        yield each


def _complain(*lines: str) -> None:
    first, *others = (with_options(line, option_names()) for line in lines)
    say(f"{PROGRAM}: {first}", err=True)
    for line in others:
        say(line, err=True)


def main() -> None:
    """Run the command line; SIGTERM ends it as Ctrl-C does."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # threads that wait use processor time
    gc.set_threshold(GARBAGE_THRESHOLD)
    try:
        try:
            app(prog_name=PROGRAM)
        except SystemExit as ended:
            if ended.code == 130:  # a further Ctrl-C finds nothing left to save
                signal.signal(signal.SIGINT, lambda number, frame: os._exit(130))
            flush_stdout()
            if isinstance(ended.__context__, BrokenPipeError):  # as click ends by itself
                raise ended.__context__ from None
            raise
    except BrokenPipeError:  # the reader of the pipe has ended
        silence_stdout()
        sys.exit(141)
    except Exception as error:
        if {"-v", "--verbose"} & set(sys.argv):
            traceback.print_exc()
        _complain(_unforeseen(error))
        sys.exit(1)


def _unforeseen(error: Exception) -> str:
    """Return what to say of an error that the program does not expect."""
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
    return f"this is a bug ({text}); run it again with -v, and report what it prints"
