"""Sound as pictures and films that visual tools can process, and back."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from frame2sound.api.parameters import FrameRate, ParameterError, frame_rate, whole_number
from frame2sound.api.records import Record

if TYPE_CHECKING:
    from frame2sound.carriers.plan import PageChoice
    from frame2sound.progress import ProgressCallback

Carrier = Literal["samples", "spectrum", "scroll", "magnitude"]

CARRIERS = ("samples", "spectrum", "scroll", "magnitude")

CELLS = (1, 2, 4)

MAX_CRF = 51


@dataclass(frozen=True)
class SoundPictures(Record):
    """Pictures of a sound that were written."""

    path: Path
    carrier: str
    pictures: int
    width: int
    height: int
    sample_rate: int
    channels: int
    seconds: float
    notes: tuple[str, ...]

    def lines(self) -> list[str]:
        """Return a line, and one for each note."""
        line = (
            f"{self.path}  {_count(self.pictures)} of {self.width}x{self.height}  {self.carrier}  "
            f"{self.seconds:.3f} s  {self.sample_rate} Hz"
        )
        return [line, *(f"  note: {note}" for note in self.notes)]

    def to_dict(self) -> dict[str, Any]:
        """Return the result as plain values."""
        return asdict(self) | {"path": str(self.path), "notes": list(self.notes)}


@dataclass(frozen=True)
class PictureSound(Record):
    """A sound that was read from pictures, and what was found in them."""

    path: Path
    carrier: str
    pictures: int
    sample_rate: int
    channels: int
    seconds: float
    missing: int
    repeated: int
    notes: tuple[str, ...]

    def lines(self) -> list[str]:
        """Return a line, and one for each note."""
        line = (
            f"{self.path}  {self.seconds:.3f} s  {self.sample_rate} Hz  "
            f"from {_count(self.pictures)}  {self.carrier}"
        )
        return [line, *(f"  note: {note}" for note in self.notes)]

    def to_dict(self) -> dict[str, Any]:
        """Return the result as plain values."""
        return asdict(self) | {"path": str(self.path), "notes": list(self.notes)}


@dataclass(frozen=True)
class SoundThroughTool(Record):
    """A sound that went through a tool for pictures, and what survived.

    Attributes
    ----------
    pictures, sound : Path
        What the tool wrote, and the sound of it.
    snr_db : float
        Energy of the sound over that of its difference from what came back.
    convergence_db : float
        Spectral convergence: norm of the difference of magnitudes over that of the magnitudes.
    distance_db : float
        Log-spectral distance, over what is within 60 dB of the loudest.
    notes : tuple of str
        What was found in the pictures.
    """

    pictures: Path
    sound: Path
    snr_db: float
    convergence_db: float
    distance_db: float
    notes: tuple[str, ...]

    def lines(self) -> list[str]:
        """Return a line for each measure, and one for each note."""
        snr = "the same to the bit" if math.isinf(self.snr_db) else f"{self.snr_db:.1f} dB"
        return [
            f"{self.pictures}  {self.sound}",
            f"  sound over its difference: {snr}",
            f"  spectral convergence: {self.convergence_db:.1f} dB",
            f"  log-spectral distance: {self.distance_db:.1f} dB",
            *(f"  note: {note}" for note in self.notes),
        ]

    def to_dict(self) -> dict[str, Any]:
        """Return the result as plain values; those of equal sounds are None."""
        measures = {
            name: value if math.isfinite(value := getattr(self, name)) else None
            for name in ("snr_db", "convergence_db", "distance_db")
        }
        paths = {"pictures": str(self.pictures), "sound": str(self.sound)}
        return paths | measures | {"notes": list(self.notes)}


def to_picture(
    sound: str | PathLike[str],
    out: str | PathLike[str],
    *,
    carrier: Carrier = "spectrum",
    cell: int = 1,
    size: int | None = None,
    fps: FrameRate = 25,
    crf: int | None = None,
    overwrite: bool = False,
    progress: ProgressCallback | bool | None = None,
) -> SoundPictures:
    """Turn a sound into pictures that visual tools can process, and `to_sound` turns back.

    Parameters
    ----------
    sound : str or path
        A sound file, or a film with sound; one or two channels.
    out : str or path
        A ``.png``; the name of a new folder, for square pages; or a film: ``.mkv`` for FFV1, which
        loses nothing, and ``.mkv``, ``.mp4`` or ``.mov`` with ``crf`` for H.264.
    carrier : {"spectrum", "samples", "scroll", "magnitude"}
        How a picture carries sound. ``spectrum``: level as luma, phase as the direction of
        chroma. ``samples``: 16 bits, exactly. ``scroll``: a film past which the sound streams.
        ``magnitude``: grey levels alone, whose phases `to_sound` has to guess.
    cell : {1, 2, 4}
        Side in pixels of a point of a spectrum; 2 and 4 survive JPEG and H.264.
    size : int, optional
        Greatest height and width of pages in pixels, 448 to 8192; by default what the spectrum
        needs. A single ``.png`` is as wide as its sound and ``scroll`` as its columns: there it
        decides only how many rows there are.
    fps : int, float, str or Fraction
        Frame rate of ``scroll``.
    crf : int, optional
        Quality of H.264, 0 (best) to 51.
    overwrite : bool
        Replace an output that exists.
    progress : callable or bool, optional
        True shows a progress bar; see `ProgressCallback`.

    Returns
    -------
    SoundPictures

    Raises
    ------
    ParameterError
        A parameter is out of range.
    CarrierError
        The sound cannot be read, or the output cannot hold the carrier or be written.

    Examples
    --------
    >>> import frame2sound as f2s
    >>> f2s.to_picture("bells.wav", "bells.png")  # doctest: +SKIP
    """
    from frame2sound.carriers.conversion import write_pictures
    from frame2sound.progress_bars import open_progress

    target = Path(out)
    choice = _page_choice(target, carrier, cell, size, fps, crf)
    with open_progress(progress) as on_progress:
        made = write_pictures(
            Path(sound), target, choice, crf, overwrite=overwrite, on_progress=on_progress
        )
    found = made.parameters
    return SoundPictures(
        made.path, carrier, made.pages, made.width, made.height, found.sample_rate,
        found.channels, found.samples / found.sample_rate, made.notes,
    )  # fmt: skip


def to_sound(
    pictures: str | PathLike[str],
    out: str | PathLike[str],
    *,
    overwrite: bool = False,
    progress: ProgressCallback | bool | None = None,
) -> PictureSound:
    """Turn pictures that `to_picture` wrote, and what tools made of them, back into sound.

    The carrier is found in the pictures themselves. The strip of marks shows how levels, hues,
    size, place and sharpness have changed; these are put right.

    Parameters
    ----------
    pictures : str or path
        A picture, a film, or a folder of pictures.
    out : str or path
        A ``.wav`` to write, 16 bits for samples and 24 for spectra.
    overwrite : bool
        Replace an output that exists.
    progress : callable or bool, optional
        True shows a progress bar; see `ProgressCallback`.

    Returns
    -------
    PictureSound

    Raises
    ------
    CarrierError
        There are no pictures, they carry no sound, or the file cannot be written.
    """
    from frame2sound.carriers.conversion import write_sound
    from frame2sound.progress_bars import open_progress

    with open_progress(progress) as on_progress:
        found = write_sound(Path(pictures), Path(out), overwrite=overwrite, on_progress=on_progress)
    parameters = found.parameters
    return PictureSound(
        Path(out), parameters.kind.name.lower(), found.pages, parameters.sample_rate,
        parameters.channels, parameters.samples / parameters.sample_rate, found.missing,
        found.repeated, tuple(findings_notes(found)),
    )  # fmt: skip


def send_through(
    sound: str | PathLike[str],
    out: str | PathLike[str],
    command: str,
    *,
    carrier: Carrier = "spectrum",
    cell: int = 1,
    size: int | None = None,
    fps: FrameRate = 25,
    crf: int | None = None,
    overwrite: bool = False,
    progress: ProgressCallback | bool | None = None,
) -> SoundThroughTool:
    """Turn a sound into pictures, run a tool on them, and say what of the sound survives.

    Parameters
    ----------
    sound : str or path
        A sound file, or a film with sound.
    out : str or path
        What the tool is to write: a picture, a film, or a new folder. It gets pictures of the same
        kind. The sound of what it writes lies beside it, as ``out`` with ``.wav``.
    command : str
        The tool, with ``{in}`` and ``{out}`` for what it reads and writes. No shell runs it.
    carrier, cell, size, fps, crf
        As for `to_picture`.
    overwrite : bool
        Replace outputs that exist.
    progress : callable or bool, optional
        True shows a progress bar; see `ProgressCallback`.

    Returns
    -------
    SoundThroughTool

    Raises
    ------
    ParameterError
        A parameter is out of range.
    CarrierError
        The tool fails, or what it writes carries no sound.

    Examples
    --------
    >>> import frame2sound as f2s
    >>> blur = "ffmpeg -i {in} -vf gblur=sigma=0.7 {out}"
    >>> f2s.send_through("bells.wav", "blurred.png", blur)  # doctest: +SKIP
    """
    from frame2sound.carriers.conversion import carry_through
    from frame2sound.progress_bars import open_progress

    target = Path(out)
    choice = _page_choice(target, carrier, cell, size, fps, crf)
    with open_progress(progress) as on_progress:
        made = carry_through(
            Path(sound), target, command, choice, crf, overwrite=overwrite, on_progress=on_progress
        )
    left = made.survival
    return SoundThroughTool(
        made.pictures,
        made.sound,
        left.snr_db,
        left.convergence_db,
        left.distance_db,
        tuple(findings_notes(made.findings)),
    )


def _page_choice(
    out: Path, carrier: str, cell: int, size: int | None, fps: FrameRate, crf: int | None
) -> PageChoice:
    from frame2sound.carriers.parameters import Kind
    from frame2sound.carriers.plan import MAX_SIZE, MIN_SIZE, PageChoice

    if carrier not in CARRIERS:
        raise ParameterError(f"got carrier {carrier!r}, expected one of {', '.join(CARRIERS)}")
    if cell not in CELLS:
        raise ParameterError(f"got cell {cell!r}, expected 1, 2 or 4")
    if crf is not None and not 0 <= crf <= MAX_CRF:
        raise ParameterError(f"got crf {crf!r}, expected 0 to {MAX_CRF}")
    whole_number("size", size, 0)
    if size is not None and not MIN_SIZE <= size <= MAX_SIZE:
        raise ParameterError(f"got `size={size}`, expected {MIN_SIZE} to {MAX_SIZE} pixels")
    rate, whole = frame_rate("fps", fps), out.suffix.lower() == ".png"
    return PageChoice(Kind[carrier.upper()], cell, None if size is None else int(size), rate, whole)


def _count(number: int, what: str = "picture") -> str:
    return f"1 {what}" if number == 1 else f"{number} {what}s"


def findings_notes(found: Any) -> list[str]:
    """Return what a reader found in pictures, in words."""
    notes = []
    if found.levels_changed:
        notes.append(
            f"levels or hues had changed and were put right, to {found.hues_error:.1f} levels"
        )
    if found.colourless:
        notes.append(f"the colours of {_count(found.colourless)} are gone: phases are guessed")
    if found.blur:
        notes.append(f"a blur of {found.blur:.1f} pixels was undone")
    part = "column" if found.parameters.kind.name == "SCROLL" else "picture"
    if found.missing:
        notes.append(f"{_count(found.missing, part)} missing: silent there")
    if found.repeated:
        notes.append(f"{_count(found.repeated)} left out that came again, or too late")
    if found.unreadable:
        count = _count(len(found.unreadable))
        notes.append(f"{count} left out: {found.unreadable[0]}")
    return notes
