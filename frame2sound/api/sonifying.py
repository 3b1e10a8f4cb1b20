"""Pictures as sound: any picture as a spectrogram, as wavetables, and as The vOICe maps it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from inspect import signature
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from frame2sound.api.parameters import (
    ParameterError,
    Seconds,
    musical_scale,
    one_of,
    whole_number,
)
from frame2sound.api.parameters import seconds as parse_seconds
from frame2sound.api.records import Record

if TYPE_CHECKING:
    from fractions import Fraction

    from frame2sound.progress import ProgressCallback
    from frame2sound.sound.scale import Scale

Mapping = Literal["spectrogram", "wavetable", "voice"]
Spacing = Literal["linear", "log", "mel"]
Timbre = Literal["sines", "noise", "grains"]
Ink = Literal["auto", "bright", "dark"]
Paper = Literal["auto", "black", "white"]

MAPPINGS = ("spectrogram", "wavetable", "voice")
SPACINGS = ("linear", "log", "mel")
TIMBRES = ("sines", "noise", "grains")
INKS = ("auto", "bright", "dark")
PAPERS = ("auto", "black", "white")

MAX_ROWS = 4096

MIN_RATE, MAX_RATE = 8000, 192_000

MAX_RANGE_DB = 144.0
"""What 24 bits hold."""

MIN_PITCH_HZ = 1.0

MAPPINGS_WITH = {
    "timbre": ("spectrogram",),
    "spacing": ("spectrogram",),
    "scale": ("spectrogram",),
    "low_hz": ("spectrogram",),
    "high_hz": ("spectrogram",),
    "range_db": ("spectrogram",),
    "rows": ("spectrogram", "wavetable"),
    "stereo": ("spectrogram", "voice"),
    "pitch": ("wavetable",),
    "tables": ("wavetable",),
}
"""The mappings in which a parameter means something; it means something in all if not listed."""


@dataclass(frozen=True)
class PictureAsSound(Record):
    """A sound that was made of a picture.

    Attributes
    ----------
    path : Path
    mapping : str
    pictures, row_count : int
        Pictures that were scanned, and frequencies, or waveforms, of each.
    sample_rate, channels : int
    seconds : float
    white_db : float
        Level of a sine of the greatest brightness, in dB of full scale.
    tables : Path or None
        The wavetables that were written.
    notes : tuple of str
        What was decided about the picture.
    """

    path: Path
    mapping: str
    pictures: int
    row_count: int
    sample_rate: int
    channels: int
    seconds: float
    white_db: float
    tables: Path | None
    notes: tuple[str, ...]

    def lines(self) -> list[str]:
        """Return a line, and one for each note."""
        count = "1 picture" if self.pictures == 1 else f"{self.pictures} pictures"
        line = (
            f"{self.path}  {self.seconds:.3f} s  {self.sample_rate} Hz  from {count}  "
            f"{self.mapping} of {self.row_count} rows"
        )
        tables = [] if self.tables is None else [f"{self.tables}  wavetables"]
        return [line, *tables, *(f"  note: {note}" for note in self.notes)]

    def to_dict(self) -> dict[str, Any]:
        """Return the result as plain values."""
        paths = {"path": str(self.path), "tables": self.tables and str(self.tables)}
        return asdict(self) | paths | {"notes": list(self.notes)}


def sonify(
    picture: str | PathLike[str],
    out: str | PathLike[str],
    *,
    mapping: Mapping = "spectrogram",
    seconds: Seconds | None = None,
    timbre: Timbre = "sines",
    spacing: Spacing = "linear",
    scale: str | Scale | None = None,
    rows: int | None = None,
    low_hz: float = 100.0,
    high_hz: float = 12_000.0,
    range_db: float = 40.0,
    pitch: float | str = 110.0,
    tables: str | PathLike[str] | None = None,
    ink: Ink = "auto",
    paper: Paper = "auto",
    stereo: bool = False,
    sample_rate: int = 44_100,
    seed: int = 0,
    overwrite: bool = False,
    progress: ProgressCallback | bool | None = None,
) -> PictureAsSound:
    """Turn any picture into sound.

    Parameters
    ----------
    picture : str or path
        A picture in any format that FFmpeg reads, an animated picture, or a film. Of animated ones
        each picture sounds for as long as it is shown.
    out : str or path
        A ``.wav`` to write, 24 bits, its peak 1 dB below full scale.
    mapping : {"spectrogram", "wavetable", "voice"}
        ``spectrogram``: time to the right, frequency upwards, bright is loud. ``wavetable``: each
        row is the cycle of a waveform, read from the top to the bottom at a pitch. ``voice``: as
        The vOICe does for blind people (Meijer 1992).
    seconds : float, str or Fraction, optional
        How long a scan of a picture takes; by default 10 s, 1.05 s for The vOICe, and as long as it
        is shown for each of several pictures.
    timbre : {"sines", "noise", "grains"}
        What each row of a spectrogram sounds as.
    spacing : {"linear", "log", "mel"}
        How frequencies are spaced from ``low_hz`` at the bottom to ``high_hz`` at the top.
    scale : str or Scale, optional
        A row for each tone of this scale between them instead, as ``"D minor"`` or ``"19-tet"``.
    rows : int, optional
        Rows of a spectrogram, or waveforms; by default those of the picture, at most 256.
    low_hz, high_hz : float
        Frequencies of the bottom and the top row.
    range_db : float
        From the brightest to the faintest that sounds; what is fully dark is silent.
    pitch : float or str
        Of wavetables, in Hz or as a note, ``"A2"``.
    tables : str or path, optional
        Write the wavetables here too: a ``.wav`` for synthesisers, at most 256 tables of 2048
        samples.
    ink : {"auto", "bright", "dark"}
        What sounds. ``auto``: the dark if the picture's border is bright, as of a drawing on paper.
    paper : {"auto", "black", "white"}
        What is behind transparent parts. ``auto``: the opposite of what is drawn.
    stereo : bool
        Pan from left to right with the scan.
    sample_rate : int
        In Hz, 8000 to 192000; above 10000 for The vOICe.
    seed : int
        Of the phases, noise and grains.
    overwrite : bool
        Replace an output that exists.
    progress : callable or bool, optional
        True shows a progress bar; see `ProgressCallback`.

    Returns
    -------
    PictureAsSound

    Raises
    ------
    ParameterError
        A parameter is out of range, or is of another mapping.
    SonificationError
        The picture cannot be read, or a file cannot be written.

    Examples
    --------
    >>> import frame2sound as f2s
    >>> f2s.sonify("drawing.png", "drawing.wav", spacing="log")  # doctest: +SKIP
    """
    from frame2sound.progress_bars import open_progress
    from frame2sound.sonification.conversion import SonificationChoice, write_sonification

    for name, value, choices in (
        ("mapping", mapping, MAPPINGS),
        ("timbre", timbre, TIMBRES),
        ("spacing", spacing, SPACINGS),
        ("ink", ink, INKS),
        ("paper", paper, PAPERS),
    ):
        one_of(name, value, choices)
    _check_numbers(rows, range_db, sample_rate, seed)
    pitch_hz = _pitch_hz(pitch, sample_rate)
    _check_mapping(
        mapping, timbre=timbre, spacing=spacing, scale=scale, low_hz=low_hz, high_hz=high_hz,
        range_db=range_db, rows=rows, stereo=stereo, pitch=pitch_hz, tables=tables,
    )  # fmt: skip
    _check_frequencies(mapping, low_hz, high_hz, sample_rate)
    if tables is not None and Path(tables) == Path(out):
        raise ParameterError(f"got {out} for `out` and for `tables`, expected two files")
    tuned = None if scale is None else musical_scale("scale", scale)
    choice = SonificationChoice(
        mapping, _duration(seconds), rows, low_hz, high_hz, spacing, tuned, timbre, range_db,
        pitch_hz, ink, paper, stereo, sample_rate, seed,
    )  # fmt: skip
    table_path = None if tables is None else Path(tables)
    with open_progress(progress) as on_progress:
        made = write_sonification(
            Path(picture), Path(out), choice, table_path,
            overwrite=overwrite, on_progress=on_progress,
        )  # fmt: skip
    return PictureAsSound(
        Path(out), mapping, made.pictures, made.rows, sample_rate, made.channels,
        made.samples / sample_rate, made.white_db, table_path, made.notes,
    )  # fmt: skip


def _check_numbers(rows: int | None, range_db: float, sample_rate: int, seed: int) -> None:
    whole_number("sample_rate", sample_rate, 0)
    whole_number("rows", rows, 0)
    if not MIN_RATE <= sample_rate <= MAX_RATE:
        raise ParameterError(
            f"got `sample_rate={sample_rate}`, expected {MIN_RATE} to {MAX_RATE} Hz"
        )
    if rows is not None and not 1 <= rows <= MAX_ROWS:
        raise ParameterError(f"got `rows={rows}`, expected 1 to {MAX_ROWS}")
    if not 0 < range_db <= MAX_RANGE_DB:
        raise ParameterError(
            f"got `range_db={range_db:g}`, expected above 0, {MAX_RANGE_DB:g} dB at most"
        )
    whole_number("seed", seed, 0)


def _check_mapping(mapping: str, **values: object) -> None:
    """Refuse what means nothing in a mapping, or for rows of a scale, unless it is the default."""
    defaults = signature(sonify).parameters
    given = [name for name, value in values.items() if value != defaults[name].default]
    for name in given:
        if mapping not in MAPPINGS_WITH[name]:
            raise ParameterError(
                f"`{name}` is of the mapping {' or '.join(MAPPINGS_WITH[name])}; choose that "
                f"`mapping`, or leave out `{name}`"
            )
        if name in ("rows", "spacing") and "scale" in given:
            raise ParameterError(
                f"`scale` has a row for each of its tones; leave it out, or leave out `{name}`"
            )


def _check_frequencies(mapping: str, low_hz: float, high_hz: float, sample_rate: int) -> None:
    from frame2sound.sonification.the_voice import HIGH_HZ

    highest = sample_rate / 2
    if mapping == "spectrogram" and not 0 < low_hz < high_hz < highest:
        raise ParameterError(
            f"got `low_hz={low_hz:g}` and `high_hz={high_hz:g}`, expected them above 0, rising, "
            f"and below half the sample rate, {highest:g} Hz"
        )
    if mapping == "voice" and highest <= HIGH_HZ:
        raise ParameterError(
            f"got `sample_rate={sample_rate}`, expected more than {2 * HIGH_HZ:g} Hz for the "
            f"mapping voice, whose top row has {HIGH_HZ:g} Hz"
        )


def _duration(seconds: Seconds | None) -> Fraction | None:
    from frame2sound.sonification.conversion import MAX_SECONDS, MIN_SECONDS

    if seconds is None:
        return None
    length = parse_seconds("seconds", seconds)
    if not MIN_SECONDS <= length <= MAX_SECONDS:
        raise ParameterError(
            f"got `seconds={seconds}`, expected {float(MIN_SECONDS)} to {MAX_SECONDS}"
        )
    return length


def _pitch_hz(pitch: float | str, sample_rate: int) -> float:
    from frame2sound.sound.scale import note_to_hz

    try:
        hz = float(pitch)
    except ValueError:
        try:
            hz = note_to_hz(str(pitch))
        except ValueError as error:
            raise ParameterError(f"`pitch`: {error}, or a number of Hz") from error
    if not MIN_PITCH_HZ <= hz < sample_rate / 2:
        raise ParameterError(
            f"got `pitch={pitch}`, expected {MIN_PITCH_HZ:g} Hz to half the sample rate"
        )
    return hz
