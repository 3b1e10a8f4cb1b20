"""Visual work on pictures that carry sound."""

from __future__ import annotations

from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

from frame2sound.api.carriers import MAX_CRF, SoundPictures, findings_notes
from frame2sound.api.parameters import ParameterError

if TYPE_CHECKING:
    from collections.abc import Callable

    from frame2sound.progress import ProgressCallback

RANGES = {
    "blur": (0.1, 100),
    "stretch": (0.05, 20),
    "transpose": (-60, 60),
    "shift": (-(1 << 14), 1 << 14),
    "weight": (0, 1),
}
"""Least and greatest values of the parameters of filters."""


def filter_picture(
    picture: str | PathLike[str],
    out: str | PathLike[str],
    *,
    blur: float | None = None,
    morph: str | PathLike[str] | None = None,
    weight: float = 0.5,
    stretch: float | None = None,
    transpose: float | None = None,
    shift: int | None = None,
    mirror: bool = False,
    crf: int | None = None,
    overwrite: bool = False,
    progress: ProgressCallback | bool | None = None,
) -> SoundPictures:
    """Do visual work on the cells of pictures that carry sound, and draw the strip anew.

    Give one of ``blur``, ``morph``, ``stretch``, ``transpose``, ``shift`` and ``mirror``. Pictures
    of the carriers ``spectrum``, ``scroll`` and ``magnitude`` can be filtered.

    Parameters
    ----------
    picture : str or path
        A picture, a film or a folder of pictures that `to_picture` or `filter_picture` wrote.
    out : str or path
        A ``.png``, the name of a new folder, or a film, as of `to_picture`.
    blur : float, optional
        Blur by a Gaussian of this standard deviation in cells: onsets soften, tones become haze.
    morph : str or path, optional
        Another picture, of a sound of the same sample rate and channels, towards which to morph.
    weight : float
        How far ``morph`` goes, 0 to 1.
    stretch : float, optional
        Make the picture so many times as wide: as much slower, at the same pitch.
    transpose : float, optional
        Move tones up by so many semitones: frequencies in a ratio, at the same speed.
    shift : int, optional
        Move the cells up by so many rows: all frequencies by as many Hz, so that harmonics no
        longer fit each other. A row is the sample rate over the transform's size.
    mirror : bool
        Mirror left to right: the sound backwards.
    crf : int, optional
        Quality of H.264, 0 (best) to 51.
    overwrite : bool
        Replace an output that exists.
    progress : callable or bool, optional
        True shows a progress bar; see `ProgressCallback`.

    Returns
    -------
    SoundPictures
        Its notes say what was found in the pictures that were read.

    Raises
    ------
    ParameterError
        No filter is given, or more than one, or a parameter is out of range.
    CarrierError
        The pictures cannot be read or filtered, or the output cannot be written.

    Examples
    --------
    >>> import frame2sound as f2s
    >>> f2s.filter_picture("bells.png", "slow-bells.png", stretch=2)  # doctest: +SKIP
    """
    from frame2sound.carriers.filtering import filter_pictures
    from frame2sound.progress_bars import open_progress

    values = {"blur": blur, "stretch": stretch, "transpose": transpose, "shift": shift}
    _check(values | {"weight": weight}, crf)
    given = [name for name, value in values.items() if value is not None]
    given += ["morph"] * (morph is not None) + ["mirror"] * mirror
    if len(given) != 1:
        names = " and ".join(given) or "none"
        raise ParameterError(
            f"got {names}, expected one of blur, morph, stretch, transpose, shift and mirror"
        )
    paths = [Path(picture)] + ([] if morph is None else [Path(morph)])
    with open_progress(progress) as on_progress:
        made, found = filter_pictures(
            tuple(paths),
            Path(out),
            _filter(given[0], values.get(given[0]), weight),
            crf,
            overwrite=overwrite,
            on_progress=on_progress,
        )
    drawn = made.parameters
    return SoundPictures(
        made.path, drawn.kind.name.lower(), made.pages, made.width, made.height,
        drawn.sample_rate, drawn.channels, drawn.samples / drawn.sample_rate,
        (*made.notes, *findings_notes(found)),
    )  # fmt: skip


def _check(values: dict[str, float | None], crf: int | None) -> None:
    for name, value in values.items():
        low, high = RANGES[name]
        if value is not None and not low <= value <= high:
            raise ParameterError(f"got {name} {value!r}, expected {low} to {high}")
    if crf is not None and not 0 <= crf <= MAX_CRF:
        raise ParameterError(f"got crf {crf!r}, expected 0 to {MAX_CRF}")


def _filter(name: str, value: Any, weight: float) -> Callable[..., Any]:
    """Return the function that takes `Cells`, one or two, and filters them."""
    from frame2sound.carriers.filters.blur import blur
    from frame2sound.carriers.filters.mirror import mirror
    from frame2sound.carriers.filters.morph import morph
    from frame2sound.carriers.filters.stretch import stretch
    from frame2sound.carriers.filters.transpose import shift_rows, transpose

    filters: dict[str, Callable[..., Any]] = {
        "blur": lambda cells: blur(cells, value),
        "morph": lambda cells, other: morph(cells, other, weight),
        "stretch": lambda cells: stretch(cells, value),
        "transpose": lambda cells: transpose(cells, value),
        "shift": lambda cells: shift_rows(cells, value),
        "mirror": mirror,
    }
    return filters[name]
