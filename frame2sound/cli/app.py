"""The command line itself: how it begins and how it ends."""

from __future__ import annotations

import signal
import sys
import traceback
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from frame2sound import __version__
from frame2sound.cli.options import Verbose
from frame2sound.errors import Frame2SoundError


class _Commands(TyperGroup):
    """Ends with 0 done, 1 failed (one line), 2 wrong usage, 130 interrupted."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except Frame2SoundError as error:
            if (ctx.find_root().obj or {}).get("verbose"):
                traceback.print_exc()
            _complain(str(error))
            raise typer.Exit(1) from error
        except KeyboardInterrupt as error:
            _complain("interrupted; what was done is kept")
            raise typer.Exit(130) from error


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
        typer.echo(f"frame2sound {__version__}")
        raise typer.Exit


@app.callback()
def _top(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show it.")
    ] = False,
    verbose: Verbose = False,
) -> None:
    """Learn what films sound like; play that sound to pictures never seen."""


def _complain(text: str) -> None:
    typer.echo(f"frame2sound: {text}", err=True)


def main() -> None:
    """Run the command line; being told to end (SIGTERM) is like Ctrl-C."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        app()
    except Exception as error:
        if {"-v", "--verbose"} & set(sys.argv):
            traceback.print_exc()
        text = " ".join(f"{type(error).__name__}: {error}".split())
        _complain(f"this should not have happened ({text}); -v shows where; please report it")
        sys.exit(1)
