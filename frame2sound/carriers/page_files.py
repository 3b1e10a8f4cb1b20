"""Write the pages of a sound as one picture, a folder of pictures, or a film."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from frame2sound.atomic import atomic_folder, atomic_write, check_writable
from frame2sound.carriers.colours import Planes
from frame2sound.carriers.layout import PageLayout
from frame2sound.carriers.page_writer import page_count
from frame2sound.carriers.parameters import CarrierParameters, Kind
from frame2sound.carriers.picture_files import (
    FILM_SUFFIXES,
    LOSSLESS_SUFFIXES,
    SHEET,
    FilmWriter,
    sheet_path,
    to_json,
    write_picture,
)
from frame2sound.errors import CarrierError


@dataclass(frozen=True)
class WrittenPictures:
    """Pictures of a sound that were written.

    Attributes
    ----------
    path : Path
    parameters : CarrierParameters
    pages : int
    width, height : int
    notes : tuple of str
        What the user should know.
    """

    path: Path
    parameters: CarrierParameters
    pages: int
    width: int
    height: int
    notes: tuple[str, ...] = ()


def write_pages(
    pages: Iterator[Planes],
    out: Path,
    parameters: CarrierParameters,
    crf: int | None = None,
    notes: tuple[str, ...] = (),
    *,
    overwrite: bool = False,
) -> WrittenPictures:
    """Write pages, and their parameters beside them.

    Parameters
    ----------
    pages : iterator of float arrays (height, width, 3)
        As many as the parameters say.
    out : Path
        A ``.png``, which is one page; a film; or a folder that does not exist or is empty.
    crf : int, optional
        Of H.264; a film is FFV1 without.

    Raises
    ------
    CarrierError
        The output cannot be written.
    """
    total = page_count(parameters)
    with ExitStack() as resources:
        if not out.suffix:
            folder = resources.enter_context(atomic_folder(out, CarrierError))
            (folder / SHEET).write_text(to_json(parameters) + "\n")
            digits = max(4, len(str(total)))
            for number, page in enumerate(pages):
                name = f"page-{number + 1:0{digits}d}.png"
                write_picture(folder / name, page, parameters.on_page(number))
        else:
            partial = resources.enter_context(atomic_write(out, CarrierError, overwrite=overwrite))
            _write_file(pages, partial, parameters, crf)
    if out.suffix:
        sheet = sheet_path(out)
        with atomic_write(sheet, CarrierError, overwrite=overwrite) as partial:
            partial.write_text(to_json(parameters) + "\n")
    height, width = PageLayout.of(parameters).size
    return WrittenPictures(out, parameters, total, width, height, notes)


def _write_file(
    pages: Iterator[Planes], path: Path, parameters: CarrierParameters, crf: int | None
) -> None:
    if path.suffix.lower() not in FILM_SUFFIXES:
        for page in pages:
            write_picture(path, page, parameters)
        return
    with FilmWriter(path, parameters, _film_rate(parameters), crf) as film:
        for page in pages:
            film.add(page)


def check_output(out: Path, kind: Kind, crf: int | None, *, overwrite: bool) -> None:
    """Refuse an output that exists, as itself or beside it, or that cannot hold a carrier.

    Raises
    ------
    CarrierError
        What was given, and what was expected.
    """
    _check_format(out, kind, crf)
    if out.suffix:
        for path in (out, sheet_path(out)):
            check_writable(path, CarrierError, overwrite=overwrite)
    elif out.exists() and not (out.is_dir() and not any(out.iterdir())):
        raise CarrierError(f"{out} exists already; choose another name")


def _check_format(out: Path, kind: Kind, crf: int | None) -> None:
    suffix = out.suffix.lower()
    if suffix and suffix not in LOSSLESS_SUFFIXES + FILM_SUFFIXES:
        raise CarrierError(f"got {out}, expected .png, .mkv, .mp4, .mov, or the name of a folder")
    if suffix in FILM_SUFFIXES and suffix != ".mkv" and crf is None:
        raise CarrierError(f"{suffix} cannot hold FFV1; name a .mkv, or give `crf` for H.264")
    if crf is not None and suffix not in FILM_SUFFIXES:
        raise CarrierError(f"`crf` is for films; got {out}, expected .mp4, .mkv or .mov")
    if crf is not None and kind is Kind.SAMPLES:
        raise CarrierError("H.264 rounds samples; leave out `crf`, or choose `spectrum`")
    if kind is Kind.SCROLL and suffix in LOSSLESS_SUFFIXES:
        raise CarrierError(f"a scrolling carrier is a film; got {out}, expected .mkv or a folder")


def _film_rate(parameters: CarrierParameters) -> Fraction:
    """Return the frame rate at which a film of pages lasts as long as the sound."""
    if parameters.kind is Kind.SCROLL:
        return parameters.fps
    step = parameters.columns * (parameters.hop or parameters.rows)
    return Fraction(parameters.sample_rate, step).limit_denominator(60_000)
