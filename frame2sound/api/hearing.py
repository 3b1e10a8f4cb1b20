"""What is in a sound: its features, onsets, tempo, pitch, key, loudness and notes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import asdict, dataclass
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

from frame2sound.api.measuring import align_columns
from frame2sound.api.parameters import ParameterError, musical_scale, output_suffix
from frame2sound.api.records import Record, plain_values
from frame2sound.api.sorting import describe_answer, load_judge
from frame2sound.listening.definitions import FRAME_FEATURES, SOUND_FEATURES

if TYPE_CHECKING:
    from frame2sound.library.store import Library
    from frame2sound.listening.frame_table import FrameTable
    from frame2sound.listening.listener import Heard, View
    from frame2sound.listening.notes import Note
    from frame2sound.listening.sound_source import SoundSource
    from frame2sound.progress import ProgressCallback
    from frame2sound.sorting.judge import Answer, Judge
    from frame2sound.sound.scale import Scale

NOTHING = "-"
"""Stands in tables for what is not there."""

SHOWN_COEFFICIENTS = 5
"""MFCC that the table shows; the JSON has all."""

_SUFFIXES = {"csv": (".csv",), "picture": (".png",), "midi": (".mid", ".midi")}

DEFAULT_SCALE = "12-tet"

STRONG_CHROMA = 0.6
"""Pitch classes with this share of the strongest are named in the table."""


@dataclass(frozen=True)
class HeardSound(Record):
    """What was heard in one sound.

    Attributes
    ----------
    name : str
    heard : Heard
        All features: see `frame2sound.listening.listener.Heard`.
    answer : Answer, optional
        What a judge says of it.
    """

    name: str
    heard: Heard
    answer: Answer | None = None

    def lines(self) -> list[str]:
        """Return a table of one row per feature: median, distance of the quartiles, and unit."""
        of = self.heard
        layout = "stereo" if of.channels == 2 else "mono"
        head = f"{self.name}  {of.seconds:.3f} s  {of.sample_rate} Hz  {layout}"
        rows = [["feature", "median", "spread", "unit"]]
        for name, definition in FRAME_FEATURES.items():
            rows.append([definition.label, *self._cells(name), definition.unit])
        table = align_columns(rows, {1, 2})
        answer = [] if self.answer is None else [describe_answer(self.name, self.answer)]
        return [head, *table, *align_columns(self._whole_rows(), set()), *answer]

    def to_dict(self) -> dict[str, Any]:
        """Return the result as plain values, with a null for what is not there."""
        of = self.heard
        values: dict[str, Any] = plain_values(
            {
                "sound": self.name,
                "seconds": of.seconds,
                "sample_rate": of.sample_rate,
                "channels": of.channels,
                "features": {
                    name: asdict(of.spreads[name]) if name in of.spreads else None
                    for name in FRAME_FEATURES
                    if name not in ("mfcc", "chroma")
                },
                "mfcc": of.mfcc.tolist() or None,
                "chroma": of.chroma.tolist() if of.chroma.any() else None,
                "pitched_share": of.pitched_share,
                "onsets": of.onsets.tolist(),
                "tempo": None if of.tempo is None else asdict(of.tempo),
                "key": None if of.key is None else asdict(of.key),
                "loudness": of.loudness_lufs,
                "notes": [asdict(note) for note in of.notes],
                "why": of.why,
                "judge": None if self.answer is None else self.answer.to_dict(),
            }
        )
        return values

    def rows(self) -> list[dict[str, Any]]:
        """Return one row: the medians, and the features of the whole sound."""
        of = self.heard
        row: dict[str, Any] = {"sound": self.name, "seconds": of.seconds}
        row |= {name: each.median for name, each in of.spreads.items()}
        row |= {f"mfcc_{number}": value for number, value in enumerate(of.mfcc.tolist())}
        tempo, key = of.tempo and of.tempo.bpm, of.key and of.key.name
        counts = {"onsets": len(of.onsets), "notes": len(of.notes)}
        return [row | {"tempo": tempo, "key": key, "loudness": of.loudness_lufs} | counts]

    def summary(self) -> str:
        """Return tempo, key and loudness in one line."""
        parts = [self.tempo_text(), self.key_text(), self.loudness_text()]
        return "   ".join(part for part in parts if part != NOTHING) or "silence"

    def tempo_text(self) -> str:
        """Return the tempo with its unit."""
        return NOTHING if self.heard.tempo is None else f"{self.heard.tempo.bpm:.1f} BPM"

    def key_text(self) -> str:
        """Return the name of the key."""
        return NOTHING if self.heard.key is None else self.heard.key.name

    def loudness_text(self) -> str:
        """Return the loudness with its unit."""
        lufs = self.heard.loudness_lufs
        return NOTHING if lufs is None else f"{lufs:.1f} LUFS"

    def median_text(self, name: str) -> str:
        """Return the median of a feature without its unit."""
        return self._cells(name)[0]

    def _cells(self, name: str) -> list[str]:
        """Return median and spread of a feature as texts."""
        from frame2sound.listening.chroma import PITCH_CLASSES

        of, decimals = self.heard, FRAME_FEATURES[name].decimals
        if name == "mfcc":
            shown = of.mfcc[:SHOWN_COEFFICIENTS]
            return [" ".join(f"{value:.0f}" for value in shown) + " ..." if len(shown) else "-", ""]
        if name == "chroma":
            strong = of.chroma >= STRONG_CHROMA * max(of.chroma.max(), 1e-9)
            names = [each for each, is_one in zip(PITCH_CLASSES, strong, strict=True) if is_one]
            return [" ".join(names) if 0 < len(names) <= 7 else NOTHING, ""]
        spread = of.spreads.get(name)
        if spread is None:
            return [NOTHING, NOTHING]
        return [_number(value, decimals) for value in (spread.median, spread.quartile_distance)]

    def _whole_rows(self) -> list[list[str]]:
        of = self.heard
        because = {name: f"({reason})" for name, reason in of.why.items()}
        tempo = f"strength {of.tempo.strength:.2f}" if of.tempo else because["tempo"]
        key = f"correlation {of.key.correlation:.2f}" if of.key else because["key"]
        pitched = because.get("pitch", f"pitch in {of.pitched_share:.0%} of the sounding time")
        return [
            ["onsets", str(len(of.onsets)), ""],
            ["tempo", self.tempo_text(), tempo],
            ["key", self.key_text(), key],
            ["loudness", self.loudness_text(), because.get("loudness", "")],
            ["notes", str(len(of.notes)), pitched],
        ]


@dataclass(frozen=True)
class HearingResult(Record):
    """What was heard in a sound, in several, or in each film of a library.

    Attributes
    ----------
    sounds : tuple of HeardSound
    is_single : bool
        Whether one sound was given, and no library.
    written : tuple of Path
        The files that were written.
    notes : tuple of str
        What was left out, and why; and what should be known of how films were read.
    """

    sounds: tuple[HeardSound, ...]
    is_single: bool
    written: tuple[Path, ...] = ()
    notes: tuple[str, ...] = ()

    def lines(self) -> list[str]:
        """Return a table of the sound, or one row for each, and what was written."""
        table = self.sounds[0].lines() if self.is_single else self._lines_by_sound()
        return [*table, *(f"note: {note}" for note in self.notes), *map(str, self.written)]

    def to_dict(self) -> dict[str, Any]:
        """Return the sounds as plain values, and the definition and unit of each feature."""
        return {
            "sounds": [sound.to_dict() for sound in self.sounds],
            "definitions": {
                name: {"unit": each.unit, "definition": each.text}
                for name, each in (FRAME_FEATURES | SOUND_FEATURES).items()
            },
            "notes": list(self.notes),
        }

    def rows(self) -> list[dict[str, Any]]:
        """Return a row for each sound."""
        return [row for sound in self.sounds for row in sound.rows()]

    def _lines_by_sound(self) -> list[str]:
        from frame2sound.terminal import escaped

        names = ("centroid_hz", "bandwidth_hz", "rolloff_hz", "flatness", "pitch_hz")
        head = ["sound", "seconds", *(FRAME_FEATURES[name].label for name in names)]
        rows = [[*head, "tempo", "key", "loudness", "onsets"]]
        for sound in self.sounds:
            medians = [sound.median_text(name) for name in names]
            whole = [sound.tempo_text(), sound.key_text(), sound.loudness_text()]
            count = str(len(sound.heard.onsets))
            name = escaped(sound.name)
            rows.append([name, f"{sound.heard.seconds:.1f}", *medians, *whole, count])
        right = {*range(1, 2 + len(names)), 2 + len(names), 4 + len(names), 5 + len(names)}
        medians_of = f"{_count(len(self.sounds))}; medians, frequencies in Hz"
        if any(sound.heard.why for sound in self.sounds):
            medians_of += "; hear a sound alone to read why there is a dash"
        answers = [
            describe_answer(sound.name, sound.answer) for sound in self.sounds if sound.answer
        ]
        return [*align_columns(rows, right), medians_of, *answers]


def hear(
    sound: str | PathLike[str] | Library | Sequence[str | PathLike[str]],
    *,
    csv: str | PathLike[str] | None = None,
    picture: str | PathLike[str] | None = None,
    midi: str | PathLike[str] | None = None,
    scale: str | Scale = DEFAULT_SCALE,
    judge: str | PathLike[str] | None = None,
    allow_damaged: bool = False,
    overwrite: bool = False,
    progress: ProgressCallback | bool | None = None,
) -> HearingResult:
    """Say what is in a sound: timbre, onsets, tempo, pitch, key, loudness and notes.

    Parameters
    ----------
    sound : str, path, Library, or sequence of str or path
        A sound file or a film, several, or a folder of them; or a library, of which each film is
        heard that is not excluded, by the mono sound that is learned of it. Of several sounds,
        those that cannot be heard are left out with a note.
    csv : str or path, optional
        A table to write: the features of each frame, 43 to 47 a second.
    picture : str or path, optional
        PNG to draw of one sound: spectrum with notes, chroma, and level with onsets.
    midi : str or path, optional
        MIDI file to write: the notes of a recording of one voice.
    scale : str or Scale
        The tones that the notes of ``midi`` are moved to, such as ``"D minor"`` or ``"19-tet"``.
        Tones that are not of 12-tet are written with pitch bends.
    judge : str or path, optional
        Judge that `sort` made: it says which label and which film each sound is like.
    allow_damaged : bool
        Use what can be decoded of a damaged film.
    overwrite : bool
        Replace outputs that exist.
    progress : callable or bool, optional
        True shows a progress bar; see `ProgressCallback`.

    Raises
    ------
    ListeningError
        The sound cannot be read or has none, or a file cannot be written.
    FilmError
        A film cannot be read.
    LibraryError
        The library is empty or damaged.
    ParameterError
        The scale is unknown or given without ``midi``, or a picture or MIDI of several sounds is
        asked for.
    SortingError
        The judge cannot be read.
    MissingPackageError
        mido, which ``midi`` needs, is not installed.

    Examples
    --------
    >>> import frame2sound as f2s
    >>> print(f2s.hear("song.wav"))  # doctest: +SKIP
    """
    from frame2sound.atomic import check_writable
    from frame2sound.errors import FilmError, ListeningError, SortingError
    from frame2sound.extras import require_extra
    from frame2sound.progress_bars import open_progress

    tuning = musical_scale("scale", scale)
    if midi is None and scale != DEFAULT_SCALE:
        raise ParameterError("`scale` does nothing without `midi`; give `midi` or leave it out")
    outputs = [None if each is None else Path(each) for each in (csv, picture, midi)]
    for (kind, suffixes), path in zip(_SUFFIXES.items(), outputs, strict=True):
        if path is not None:
            output_suffix(kind, path, suffixes)
            check_writable(path, ListeningError, overwrite=overwrite)
    table_path, picture_path, midi_path = outputs
    library, paths = _given(sound)
    is_single = len(paths) == 1
    if not is_single and (picture_path or midi_path):
        name, got = "picture" if picture_path else "midi", "several" if paths else "a library"
        raise ParameterError(f"`{name}` is made of one sound, got {got}; give the file of one")
    if midi_path is not None:
        require_extra("mido", "exports", "`midi`")
    sources, notes = _open_sources(library, paths, allow_damaged=allow_damaged)
    asked = None if judge is None else load_judge(judge)
    sounds = []
    with open_progress(progress) as show, _frame_table(table_path, overwrite) as table:
        for source in sources:
            try:
                with nullcontext() if table is None else table.whole_sound():
                    heard, view = _listen(source, table, show)
            except (FilmError, ListeningError) as error:
                if is_single:
                    raise
                notes.append(f"left out: {error}")
                continue
            notes += [f"{source.name}: {note}" for note in source.notes]
            answer = None
            if asked is not None:
                try:
                    answer = _ask(asked, source)
                except SortingError as error:
                    notes.append(f"{source.name}: {error}")
            sounds.append(HeardSound(source.name, heard, answer))
        if not sounds:
            raise ListeningError("; ".join(notes))
    if picture_path is not None:
        _draw(picture_path, sounds[0], view, overwrite)
    if midi_path is not None:
        notes += _write_midi(midi_path, heard.notes, tuning, overwrite)
    written = tuple(path for path in outputs if path is not None)
    return HearingResult(tuple(sounds), is_single, written, tuple(notes))


def _number(value: float, decimals: int) -> str:
    """Return a number with so many decimals; the tiny flatness of a tone has two digits."""
    is_tiny = decimals > 3 and 0 < abs(value) < 10**-decimals
    return f"{value:.1e}" if is_tiny else f"{value:.{decimals}f}"


def _given(
    sound: str | PathLike[str] | Library | Sequence[str | PathLike[str]],
) -> tuple[Library | None, list[Path]]:
    """Return the library that is meant, or the paths of sounds."""
    from frame2sound.api.library import open_library
    from frame2sound.library.folders import LIBRARY_FILE
    from frame2sound.library.store import Library

    if isinstance(sound, Library):
        return sound, []
    given = [sound] if isinstance(sound, str | PathLike) else list(sound)
    if not given:
        raise ParameterError("got no sound, expected a sound, a film or a library")
    libraries = [
        each for each in given if "://" in str(each) or (Path(each) / LIBRARY_FILE).exists()
    ]
    if not libraries:
        return None, [path for each in given for path in _files_at(Path(each))]
    if len(given) > 1:
        raise ParameterError(
            f"got the library {libraries[0]} among several sounds, expected it alone; "
            "give libraries one at a time"
        )
    return open_library(given[0]), []


def _files_at(path: Path) -> list[Path]:
    """Return a path, or the files of a folder by name, without hidden ones."""
    if not path.is_dir():
        return [path]
    files = sorted(each for each in path.glob("[!.]*") if each.is_file())
    if not files:
        raise ParameterError(f"{path} holds no files, expected sounds or films")
    return files


def _open_sources(
    library: Library | None, paths: list[Path], *, allow_damaged: bool
) -> tuple[list[SoundSource], list[str]]:
    """Return what can be opened, and notes of what cannot, which is an error where it is all."""
    from frame2sound.errors import FilmError, ListeningError
    from frame2sound.library.calibration import is_calibration
    from frame2sound.listening.sound_source import film_source, open_source

    if library is not None:
        films = [film for film in library.films() if not is_calibration(film)]
        if not films:
            raise ListeningError(library.no_films_message())
        return [film_source(film) for film in films], []
    sources, notes = [], []
    for path in paths:
        try:
            sources.append(open_source(path, allow_damaged=allow_damaged))
        except (FilmError, ListeningError) as error:
            if len(paths) == 1:
                raise
            notes.append(f"left out: {error}")
    if not sources:
        raise ListeningError("; ".join(notes))
    return sources, notes


def _count(sounds: int) -> str:
    return "1 sound" if sounds == 1 else f"{sounds} sounds"


def _ask(judge: Judge, source: SoundSource) -> Answer:
    """Return what a judge says of a sound, mixed to mono and kept on disk meanwhile."""
    from frame2sound.rendering.audio_spool import AudioSpool
    from frame2sound.sound.resampler import resample

    rates = source.sample_rate, judge.sample_rate
    with AudioSpool() as mono, AudioSpool() as resampled:
        mono.write(block.mean(axis=1) for block in source.blocks())
        end = round(mono.sample_count * rates[1] / rates[0])
        resampled.write(resample(mono.read(), rates, 0, 0, end))
        return judge.hear(resampled.memory_map(), judge.sample_rate)


def _listen(
    source: SoundSource, table: FrameTable | None, show: ProgressCallback
) -> tuple[Heard, View]:
    from frame2sound.errors import ListeningError
    from frame2sound.listening.listener import Listener

    try:
        listener = Listener(source.sample_rate, source.channels)
    except ValueError as error:
        raise ListeningError(f"{source.name}: {error}") from error
    received = 0
    for block in source.blocks():
        received += len(block)
        for rows in listener.process(block):
            if table is not None:
                table.write(source.name, rows)
        done = received / source.sample_rate
        total = source.declared_seconds
        show(source.name, done, None if total is None else max(total, done), "")
    for rows in listener.finish():
        if table is not None:
            table.write(source.name, rows)
    if not received:
        raise ListeningError(f"{source.name} has no samples; expected a sound")
    return listener.heard(), listener.view()


@contextmanager
def _frame_table(path: Path | None, overwrite: bool) -> Iterator[FrameTable | None]:
    from frame2sound.atomic import atomic_write
    from frame2sound.errors import ListeningError
    from frame2sound.listening.frame_table import FrameTable

    if path is None:
        yield None
        return
    with (
        atomic_write(path, ListeningError, overwrite=overwrite) as partial,
        partial.open("w", encoding="utf-8", newline="") as file,
    ):
        yield FrameTable(file)


def _draw(path: Path, sound: HeardSound, view: View, overwrite: bool) -> None:
    from frame2sound.atomic import atomic_write
    from frame2sound.errors import ListeningError
    from frame2sound.listening.picture import draw_picture
    from frame2sound.terminal import escaped

    with atomic_write(path, ListeningError, overwrite=overwrite) as partial:
        draw_picture(partial, escaped(sound.name), sound.summary(), sound.heard, view)


def _write_midi(
    path: Path, notes: tuple[Note, ...], scale: Scale, overwrite: bool
) -> tuple[str, ...]:
    """Write the notes; return what should be known of them."""
    from frame2sound.listening.midi_notes import write_notes
    from frame2sound.listening.notes import tuned

    write_notes(path, tuned(notes, scale), overwrite=overwrite)
    return () if notes else (f"{path} holds no notes, as none has a stable pitch",)
