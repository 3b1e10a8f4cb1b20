"""The whole way from pictures that carry sound to those that a filter makes of them."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from frame2sound.atomic import refuse_inputs, write_error_message
from frame2sound.carriers.colours import Planes
from frame2sound.carriers.filters.cells import Cells, Filtered, SpectraReader
from frame2sound.carriers.page_files import WrittenPictures, check_output, write_pages
from frame2sound.carriers.page_reader import Findings, PictureSound
from frame2sound.carriers.page_writer import draw_spectra, page_count, total_columns
from frame2sound.carriers.parameters import MAX_SIDE, CarrierParameters, Kind
from frame2sound.carriers.picture_files import (
    LOSSLESS_SUFFIXES,
    parameters_beside,
    read_pictures,
)
from frame2sound.carriers.plan import check_size
from frame2sound.carriers.spectrum_points import Spectra
from frame2sound.errors import CarrierError
from frame2sound.progress import ProgressCallback, ignore_progress


def filter_pictures(
    paths: tuple[Path, ...],
    out: Path,
    apply: Callable[..., Filtered],
    crf: int | None = None,
    *,
    overwrite: bool = False,
    on_progress: ProgressCallback = ignore_progress,
) -> tuple[WrittenPictures, Findings]:
    """Read the cells of pictures, filter them, and draw them with a strip of their own.

    The cells lie in a temporary folder beside the output meanwhile, 8 bytes each.

    Parameters
    ----------
    paths : tuple of Path
        A picture, a film or a folder for each `Cells` that the filter takes.
    out : Path
        As of `page_files.write_pages`.
    apply : callable
        Takes as many `Cells` and returns `Filtered`.

    Raises
    ------
    CarrierError
        Pictures cannot be read, have no spectra, or do not fit each other; or the output cannot
        be written.
    """
    sounds = [_open(path) for path in paths]
    check_output(out, sounds[0].findings.parameters.kind, crf, overwrite=overwrite)
    refuse_inputs(out, paths, CarrierError)
    with _folder_beside(out) as folder:
        try:
            cells = [
                _read_cells(sound, folder / str(number), path.name, on_progress)
                for number, (sound, path) in enumerate(zip(sounds, paths, strict=True))
            ]
            filtered = apply(*cells)
        except ValueError as error:
            raise CarrierError(f"{' and '.join(map(str, paths))}: {error}") from error
        parameters = fit_output(filtered.parameters, out)
        pages = _pages(filtered.blocks, parameters, out.name, on_progress)
        written = write_pages(pages, out, parameters, crf, overwrite=overwrite)
    return written, sounds[0].findings


@contextmanager
def _folder_beside(out: Path) -> Iterator[Path]:
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        folder = tempfile.TemporaryDirectory(dir=out.parent, prefix=".filter-")
    except OSError as error:
        raise CarrierError(write_error_message(out, error)) from error
    with folder as name:
        yield Path(name)


def _open(path: Path) -> PictureSound:
    if not path.exists():
        raise CarrierError(f"{path} does not exist; expected pictures that carry a sound")
    try:
        sound = PictureSound(read_pictures(path), parameters_beside(path))
    except ValueError as error:
        raise CarrierError(
            f"{path}: {error}; expected pictures that frame2sound to-picture wrote"
        ) from error
    if sound.findings.parameters.kind is Kind.SAMPLES:
        raise CarrierError(
            f"{path} carries samples, which have no frequencies; "
            "expected the carrier spectrum, scroll or magnitude"
        )
    return sound


def _read_cells(sound: PictureSound, file: Path, name: str, on_progress: ProgressCallback) -> Cells:
    parameters = sound.findings.parameters.on_page(0)
    total = total_columns(parameters)

    def spectra() -> Iterator[Spectra]:
        done = 0
        for block in sound.spectra(find_phases=False):
            yield block
            done += block.shape[1]
            on_progress(name, min(done, total), total, "read")

    cells = Cells(file, parameters, spectra())
    missing = max(total - cells.found, 0) * parameters.hop
    sound.check_missing(missing, cells.found * parameters.hop)
    return cells


def fit_output(parameters: CarrierParameters, out: Path) -> CarrierParameters:
    """Return the parameters for one picture of the whole sound if the output is that."""
    if out.suffix.lower() not in LOSSLESS_SUFFIXES:
        return parameters
    columns = total_columns(parameters)
    return check_size(replace(parameters, columns=min(columns, MAX_SIDE)), columns)


def _pages(
    blocks: Iterator[Spectra],
    parameters: CarrierParameters,
    name: str,
    on_progress: ProgressCallback,
) -> Iterator[Planes]:
    total = page_count(parameters)
    for number, page in enumerate(draw_spectra(SpectraReader(blocks, parameters).read, parameters)):
        yield page
        on_progress(name, number + 1, total, "")
