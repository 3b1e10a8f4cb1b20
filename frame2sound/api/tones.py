"""Tone systems as tables and as sound: scales and chords of any tuning."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from fractions import Fraction
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from frame2sound.api.parameters import (
    ParameterError,
    Seconds,
    musical_scale,
    one_of,
    output_suffix,
)
from frame2sound.api.parameters import seconds as parse_seconds
from frame2sound.api.records import Record
from frame2sound.atomic import check_writable
from frame2sound.errors import SoundtrackError

if TYPE_CHECKING:
    from frame2sound.progress import ProgressCallback
    from frame2sound.rendering.effects import EffectChain
    from frame2sound.sound.scale import Scale
    from frame2sound.tuning.steps import Tone

Wave = Literal["sine", "triangle", "square", "saw"]

Steps = str | Iterable[int]
"""Steps of a scale, as ``"0 4 7"``, ``"0..12"`` or ``[0, 4, 7]``."""

WAVES = ("sine", "triangle", "square", "saw")

MIN_RATE, MAX_RATE = 8000, 192_000

MIN_SECONDS, MAX_HOURS = Fraction(1, 100), 4
"""Of a tone, and of all."""


@dataclass(frozen=True)
class ToneTable(Record):
    """Tones of a scale, and the sound that was made of them.

    Attributes
    ----------
    system : str
        The scale as it was asked for.
    tones : tuple of Tone
        ``step``, ``ratio`` and ``cents`` from step 0, ``hz``, and the nearest ``note``, from which
        the tone is ``note_cents`` off.
    path, csv : Path or None
        What was written.
    sample_rate : int
    seconds : float
        The length of the sound, 0 without one.
    notes : tuple of str
        What the user should know.
    """

    system: str
    tones: tuple[Tone, ...]
    path: Path | None
    csv: Path | None
    sample_rate: int
    seconds: float
    notes: tuple[str, ...]

    def lines(self) -> list[str]:
        """Return a line for the sound, or a line for each tone; and one for each note."""
        notes = [f"  note: {note}" for note in self.notes]
        written = [] if self.csv is None else [str(self.csv)]
        if self.path is None:
            return [*self._table(), *notes, *written]
        count = "1 tone" if len(self.tones) == 1 else f"{len(self.tones)} tones"
        line = f"{self.path}  {self.seconds:.3f} s  {self.sample_rate} Hz  {count}"
        return [f"{line} of {self.system}", *notes, *written]

    def _table(self) -> list[str]:
        head = f"{'step':>5}  {'ratio':>9}  {'cents':>9}  {'Hz':>10}  note"
        return [head] + [
            f"{tone.step:>5}  {tone.fraction:>9}  {tone.cents:>9.2f}  {tone.hz:>10.3f}  "
            f"{tone.note} {round(tone.note_cents, 1) + 0:+.1f}"
            for tone in self.tones
        ]

    def to_dict(self) -> dict[str, Any]:
        """Return the result as plain values."""
        paths = {"path": self.path and str(self.path), "csv": self.csv and str(self.csv)}
        return asdict(self) | paths | {"tones": self.rows(), "notes": list(self.notes)}

    def rows(self) -> list[dict[str, Any]]:
        """Return a row for each tone."""
        return [asdict(tone) for tone in self.tones]


def tones(
    system: str | Scale,
    out: str | PathLike[str] | None = None,
    *,
    steps: Steps | None = None,
    chord: Iterable[Steps] | None = None,
    seconds: Seconds = 0.5,
    wave: Wave = "sine",
    effects: str | EffectChain | None = None,
    effects_file: str | PathLike[str] | None = None,
    sample_rate: int = 44_100,
    csv: str | PathLike[str] | None = None,
    overwrite: bool = False,
    progress: ProgressCallback | bool | None = None,
) -> ToneTable:
    """Describe the tones of any tone system, and write them as scales and chords.

    Parameters
    ----------
    system : str or Scale
        As ``"D minor"``, ``"19-tet on A3"``, ``"13-ed3"`` (13 equal steps to the ratio 3),
        ``"just 1/1 5/4 3/2 on D"``, ``"cents 0 240 480 720 960"``, ``"hz 110 220 330"``,
        ``"major nested in D minor"``, or a Scala file, ``"my.scl on D3"``.
    out : str or path, optional
        A ``.wav`` to write: one channel, 24 bits, its peak 1 dB below full scale.
    steps : str or sequence of int, optional
        Steps that sound one after another, 0 the tonic: ``"0..12"``, ``"12..0"``, ``"0 4 7"``. By
        default one period up, unless there are chords.
    chord : sequence, optional
        Chords, which sound one after another after the steps: each is steps that sound together,
        as ``["0 4 7", "5 9 12"]``.
    seconds : float, str or Fraction
        How long each tone or chord sounds.
    wave : {"sine", "triangle", "square", "saw"}
        All harmonics of it below half the sample rate.
    effects : str or EffectChain, optional
        As ``"reverse, delay seconds=.3, time-stretch ratio=2, layer of=reverse"``. Stretched sound
        has its own length, and echoes end by themselves.
    effects_file : str or path, optional
        Effects of a TOML file instead.
    sample_rate : int
        In Hz, 8000 to 192000. Tones from half of it on are left out, with a note.
    csv : str or path, optional
        Write the table here.
    overwrite : bool
        Replace outputs that exist.
    progress : callable or bool, optional
        True shows a progress bar; see `ProgressCallback`.

    Returns
    -------
    ToneTable

    Raises
    ------
    ParameterError
        The system is unknown, or a parameter is out of range.
    SoundtrackError
        An effect is unknown, or a file cannot be written.

    Examples
    --------
    >>> import frame2sound as f2s
    >>> [round(tone.hz, 2) for tone in f2s.tones("13-ed3 on 200 Hz", steps="0 1 13").tones]
    [200.0, 217.64, 600.0]
    """
    from frame2sound.api.render_settings import effect_chain

    one_of("wave", wave, WAVES)
    if not isinstance(sample_rate, int) or not MIN_RATE <= sample_rate <= MAX_RATE:
        raise ParameterError(
            f"got `sample_rate={sample_rate}`, expected {MIN_RATE} to {MAX_RATE} Hz"
        )
    if csv is not None:
        output_suffix("csv", Path(csv), (".csv",))
        check_writable(Path(csv), SoundtrackError, overwrite=overwrite)
    length = _duration(seconds)
    chain = effect_chain(effects, effects_file)
    if out is None and chain is not None:
        raise ParameterError("got effects without a sound, expected `out` too")
    scale = musical_scale("system", system)
    groups = _groups(scale, steps, chord)
    found = _describe(scale, groups)
    samples = 0
    notes: tuple[str, ...] = ()
    if out is not None:
        heard, notes = _heard(groups, found, sample_rate)
        _check_total(length, len(heard))
        samples = _write(
            Path(out), heard, length, wave, sample_rate, chain,
            overwrite=overwrite, progress=progress,
        )  # fmt: skip
    if csv is not None:
        from frame2sound.tuning.steps import write_tone_table

        write_tone_table(Path(csv), found.values(), overwrite=overwrite)
    named = " ".join(system.split()) if isinstance(system, str) else "a scale"
    return ToneTable(
        named, tuple(found.values()), None if out is None else Path(out),
        None if csv is None else Path(csv), sample_rate, samples / sample_rate, notes,
    )  # fmt: skip


def _groups(scale: Scale, steps: Steps | None, chords: Iterable[Steps] | None) -> list[list[int]]:
    """Return steps that sound together, one group after another."""
    from frame2sound.tuning.steps import one_period

    if isinstance(chords, str):
        chords = [chords]
    together = [_steps("chord", each) for each in chords or ()]
    if steps is None and together:
        return together
    single = one_period(scale) if steps is None else _steps("steps", steps)
    return [*([step] for step in single), *together]


def _steps(parameter: str, value: Steps) -> list[int]:
    from frame2sound.tuning.steps import parse_steps

    if not isinstance(value, Iterable):
        expected = "a list of chords, as ['0 4 7']" if parameter == "chord" else "[0, 4, 7]"
        raise ParameterError(f"got `{parameter}={value}`, expected {expected}")
    try:
        return parse_steps(value if isinstance(value, str) else " ".join(map(str, value)))
    except ValueError as error:
        raise ParameterError(f"`{parameter}`: {error}") from error


def _describe(scale: Scale, groups: list[list[int]]) -> dict[int, Tone]:
    """Return the tone of each step, in the order of their first use."""
    from frame2sound.tuning.steps import describe_step

    try:
        return {step: describe_step(scale, step) for group in groups for step in group}
    except ValueError as error:
        raise ParameterError(f"`steps`: {error}") from error


def _heard(
    groups: list[list[int]], tones_of: Mapping[int, Tone], sample_rate: int
) -> tuple[list[list[float]], tuple[str, ...]]:
    """Return the pitches that a sample rate can hold, and what is to be said of the others."""
    highest = sample_rate / 2
    heard = [
        [tones_of[step].hz for step in group if tones_of[step].hz < highest] for group in groups
    ]
    lost = sorted(tone.hz for tone in tones_of.values() if tone.hz >= highest)
    if not any(heard):
        raise ParameterError(
            f"got tones from {lost[0]:.0f} Hz on, expected some below {highest:g} Hz, half the "
            "`sample_rate`"
        )
    if not lost:
        return heard, ()
    left_out = (
        f"{len(lost)} of {len(tones_of)} tones are left out, from {lost[0]:.0f} Hz on: not below "
        f"half the sample rate, {highest:g} Hz"
    )
    return [group for group in heard if group], (left_out,)


def _write(
    out: Path,
    chords_hz: list[list[float]],
    seconds: Fraction,
    wave: Wave,
    sample_rate: int,
    effects: EffectChain | None,
    *,
    overwrite: bool,
    progress: ProgressCallback | bool | None,
) -> int:
    from frame2sound.progress_bars import open_progress
    from frame2sound.rendering.effects import EffectChain as Chain
    from frame2sound.tuning.writing import write_chords

    with open_progress(progress) as on_progress:
        return write_chords(
            out, chords_hz, seconds, wave=wave, sample_rate=sample_rate,
            effects=effects or Chain(), overwrite=overwrite, on_progress=on_progress,
        )  # fmt: skip


def _duration(seconds: Seconds) -> Fraction:
    length = parse_seconds("seconds", seconds)
    if length < MIN_SECONDS:
        raise ParameterError(
            f"got `seconds={seconds}`, expected at least {float(MIN_SECONDS)} for each tone or "
            "chord"
        )
    return length


def _check_total(seconds: Fraction, count: int) -> None:
    if seconds * count > MAX_HOURS * 3600:
        raise ParameterError(
            f"got `seconds={float(seconds):g}` for {count} tones or chords, expected {MAX_HOURS} "
            "hours at most for all"
        )
