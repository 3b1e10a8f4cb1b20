"""``frame2sound library``: what is in a library, and keeping films in or out of it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from frame2sound.cli.app import app
from frame2sound.cli.cards import print_json
from frame2sound.cli.options import AsJson, Verbose
from frame2sound.cli.progress import Progress
from frame2sound.cli.terminal import say
from frame2sound.errors import LibraryError

if TYPE_CHECKING:
    from frame2sound.library.store import Library
    from frame2sound.library.summary import FilmSummary, LibrarySummary

Names = list[str] | None


@app.command()
def library(
    library: Annotated[str, typer.Argument(help="Folder of pickled films.")],
    exclude: Annotated[
        Names, typer.Option(metavar="NAME", help="Keep a film out of training and comparison.")
    ] = None,
    include: Annotated[
        Names, typer.Option(metavar="NAME", help="Let an excluded film take part again.")
    ] = None,
    drop: Annotated[Names, typer.Option(metavar="NAME", help="Delete a film from it.")] = None,
    verify: Annotated[
        bool, typer.Option("--verify", help="Read every byte and hold it against its checksum.")
    ] = False,
    as_json: AsJson = False,
    verbose: Verbose = False,
) -> None:
    """Show what is in a library and what is wrong with it; keep films in or out of it."""
    from frame2sound.library.remote import locate_library
    from frame2sound.library.store import Library

    standing = locate_library(library)
    shelf = Library.open(standing.fetch())
    changes = {"exclude": exclude or [], "include": include or [], "drop": drop or []}
    if verify and any(changes.values()):
        raise typer.BadParameter("--verify changes nothing; give it alone")
    if any(changes.values()):
        _change(shelf.path, changes, as_json)
        standing.push()
    elif verify:
        _verify(shelf, as_json)
    else:
        _show(shelf, as_json)


def _change(path: Path, changes: dict[str, list[str]], as_json: bool) -> None:
    from frame2sound.library import folders
    from frame2sound.library.write_lock import write_lock

    acts = {"exclude": folders.exclude, "include": folders.include, "drop": folders.delete_film}
    done = {"exclude": "excluded", "include": "included", "drop": "dropped"}
    with write_lock(path):
        meant = [
            (kind, folders.find_film_folder(path, name))
            for kind, names in changes.items()
            for name in dict.fromkeys(names)
        ]
        _refuse_twice([folder.name for _, folder in meant])
        for kind, folder in meant:
            acts[kind](folder)
            if not as_json:
                say(f"{folder.name}  {done[kind]}")
    if as_json:
        print_json([{"film": folder.name, "state": done[kind]} for kind, folder in meant])


def _refuse_twice(names: list[str]) -> None:
    for name in names:
        if names.count(name) > 1:
            raise typer.BadParameter(f"got {name} more than once; say one thing of a film")


def _verify(shelf: Library, as_json: bool) -> None:
    from frame2sound.library.verification import verify_films

    rows = []
    with Progress() as progress:
        for found in verify_films(shelf, progress.show):
            known, faults = found.has_checksums, list(found.faults)
            row = {"film": found.film, "whole": not faults, "checked": known, "faults": faults}
            rows.append(row)
            if not as_json:
                state = "not whole" if faults else "whole"
                without = "" if known or faults else ", as far as can be told without checksums"
                say(f"{found.film}  {state}{without}")
                for fault in faults:
                    say(f"  {fault}")
    if as_json:
        print_json(rows)
    broken = [str(row["film"]) for row in rows if not row["whole"]]
    if broken:
        raise LibraryError(
            f"{len(broken)} of {_films(len(rows))} not whole: {', '.join(broken)}; copy their "
            "folders again, or exclude them and pickle the films into another library"
        )


def _show(shelf: Library, as_json: bool) -> None:
    from frame2sound.library.summary import summarise

    with Progress() as progress:
        found = summarise(shelf, progress.show)
    if as_json:
        print_json({"library": str(shelf.path), **_table(found)})
        return
    for entry in found.films:
        say("  ".join([entry.name, *_figures(entry)]))
        for line in _remarks(entry, found):
            say(f"  {line}")
    for line in found.partial_folders:
        say(f"half-written: {line}")
    for name in found.symlinks:
        say(f"link: {name} is not followed; copy the film's folder here, or list its own library")
    say(_totals(found.films))


def _figures(entry: FilmSummary) -> list[str]:
    parts = [_clock(entry.seconds)] if entry.card is not None else []
    parts.append(f"{entry.size_bytes / 1e6:.1f} MB")
    if entry.analysis is not None:
        loudness = entry.analysis.loudness
        parts.append("-" if loudness is None else f"{loudness:.1f} LUFS")
        parts.append(f"{entry.analysis.silent_share:.0%} silent")
    return [*parts, "excluded"] if entry.excluded else parts


def _remarks(entry: FilmSummary, found: LibrarySummary) -> list[str]:
    notes = [] if entry.card is None else [f"note: {note}" for note in entry.card.notes]
    twins = [
        f"the same {'file' if twin.same_file else 'picture'} as {twin.first_name}"
        for twin in found.duplicates
        if twin.second_name == entry.name
    ]
    return [*notes, *twins[:1], *(f"damaged: {fault}" for fault in entry.faults)]


def _totals(entries: tuple[FilmSummary, ...]) -> str:
    excluded = sum(entry.excluded for entry in entries)
    damaged = sum(bool(entry.faults) for entry in entries)
    parts = [
        _films(len(entries)),
        f"{sum(entry.seconds for entry in entries) / 3600:.2f} hours",
        f"{sum(entry.size_bytes for entry in entries) / 1e6:.1f} MB",
    ]
    parts += [f"{excluded} excluded"] * bool(excluded) + [f"{damaged} damaged"] * bool(damaged)
    return "  ".join(parts)


def _table(found: LibrarySummary) -> dict[str, Any]:
    return {
        "films": [_row(entry) for entry in found.films],
        "twins": [
            {
                "films": [twin.first_name, twin.second_name],
                "same": "file" if twin.same_file else "picture",
            }
            for twin in found.duplicates
        ],
        "half_written": list(found.partial_folders),
        "links": list(found.symlinks),
        "seconds": sum(entry.seconds for entry in found.films),
        "bytes": sum(entry.size_bytes for entry in found.films),
    }


def _row(entry: FilmSummary) -> dict[str, Any]:
    card, findings = entry.card, entry.analysis
    return {
        "film": entry.name,
        "source": None if card is None else card.source,
        "seconds": None if card is None else entry.seconds,
        "frames": None if card is None else card.frames,
        "fps": None if card is None else str(card.fps),
        "bytes": entry.size_bytes,
        "loudness_lufs": None if findings is None else findings.loudness,
        "silent": None if findings is None else findings.silent_share,
        "excluded": entry.excluded,
        "notes": [] if card is None else list(card.notes),
        "faults": list(entry.faults),
    }


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02}:{rest:02}"


def _films(count: int) -> str:
    return f"{count} film{'s' * (count != 1)}"
