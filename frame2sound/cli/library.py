"""``frame2sound library``: what is in a library; excluding, including and deleting films."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from typer import Option

from frame2sound.cli import options
from frame2sound.cli.app import command, say_lines
from frame2sound.cli.options import AsJson, Verbose, print_json
from frame2sound.errors import LibraryError

if TYPE_CHECKING:
    from frame2sound.api.library import Library
    from frame2sound.api.records import Record

Names = list[str] | None


@command
def library(
    library: options.Library,
    exclude: Annotated[
        Names, Option(metavar="FILM", help="Keep a film out of training and comparison.")
    ] = None,
    include: Annotated[
        Names, Option(metavar="FILM", help="Use an excluded film for training again.")
    ] = None,
    delete: Annotated[Names, Option(metavar="FILM", help="Delete a film.")] = None,
    verify: Annotated[
        bool, Option("--verify", help="Compare every byte of the films with its checksum.")
    ] = False,
    export_sfz: Annotated[
        Path | None,
        Option(
            metavar="FOLDER",
            help="Write the films' sounds here, as an SFZ instrument for a sampler.",
        ),
    ] = None,
    as_json: AsJson = False,
    verbose: Verbose = False,
) -> None:
    """List, check, exclude or delete films."""
    from frame2sound.api.library import Library
    from frame2sound.api.parameters import ParameterError

    opened = Library.open(library)
    changes = {"exclude": exclude or [], "include": include or [], "delete": delete or []}
    show = _ignore if as_json else _show
    if export_sfz is not None:
        if verify or any(changes.values()):
            raise ParameterError(
                "got `export_sfz` and films to change or `verify`, expected one of them"
            )
        _export_sfz(opened, export_sfz, as_json)
    elif any(changes.values()):
        if verify:
            raise ParameterError(
                "got `verify` and films to change, expected one of them; `verify` changes nothing"
            )
        changed = opened.change_films(**changes, on_result=show)
        if as_json:
            print_json([film.to_dict() for film in changed])
    elif verify:
        _verify(opened, as_json, show)
    else:
        listing = opened.summarise(progress=True)
        if as_json:
            print_json(listing.to_dict())
        else:
            _show(listing)


def _export_sfz(opened: Library, folder: Path, as_json: bool) -> None:
    from frame2sound.api.instruments import export_sfz

    made = export_sfz(opened, folder)
    if as_json:
        print_json(made.to_dict())
    else:
        _show(made)


def _show(record: Record) -> None:
    say_lines(record.lines())


def _ignore(record: Record) -> None:
    pass


def _verify(opened: Library, as_json: bool, show: Callable[[Record], None]) -> None:
    films = opened.verify(progress=True, on_result=show)
    if as_json:
        print_json([film.to_dict() for film in films])
    damaged = [film.film for film in films if not film.whole]
    if damaged:
        count = f"{len(films)} film{'s' * (len(films) != 1)}"
        raise LibraryError(
            f"{len(damaged)} of {count} not whole: {', '.join(damaged)}; copy their "
            "folders again, or exclude them and pickle the films into another library"
        )
