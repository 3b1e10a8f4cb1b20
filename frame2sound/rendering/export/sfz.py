"""SFZ instruments: the sounds of films for a sampler, one key a film, by level.

The opcodes are those of SFZ 1 and of its well-known extensions (sfzformat.com).
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from numpy.typing import NDArray

from frame2sound.atomic import atomic_folder
from frame2sound.brain.corpus import Corpus
from frame2sound.errors import LibraryError
from frame2sound.rendering.events.event_units import EventUnits
from frame2sound.rendering.export.key_zones import key_zones
from frame2sound.safe_names import safe_file_names

INSTRUMENT_FILE = "instrument.sfz"

TUNED_SUFFIX = " tuned.sfz"
"""The names of instruments of one film end so."""

FIRST_KEY, LAST_KEY = 36, 127
"""Films have keys from C2 on."""

LAYER_DB = 6.0
"""Sounds whose levels differ by less are alternatives in one velocity layer."""

LEVEL_PER_DECADE_DB = 40.0
"""How much quieter a tenth of a velocity is: the curve of SFZ, and of MIDI files of events."""

MAX_ALTERNATIVES = 100
"""The longest sequence of alternatives in SFZ."""

_FULL_SCALE = 1 - 2**-20


@dataclass(frozen=True)
class InstrumentSize:
    """What was written.

    Attributes
    ----------
    sounds : int
        In the instrument of all films.
    tuned : int
        Films that have an instrument of their own.
    """

    sounds: int
    tuned: int


@dataclass(frozen=True)
class Layer:
    """Sounds of a film between two velocities, which take turns.

    Attributes
    ----------
    units : tuple of int
    low, high : int
        Velocities, 1 to 127.
    full_db : float
        The level of the film's loudest sound in dBFS, which velocity 127 has.
    """

    units: tuple[int, ...]
    low: int
    high: int
    full_db: float


def write_sfz(folder: Path, corpus: Corpus) -> InstrumentSize:
    """Write the sounds of a corpus, from attack to tail, as WAV files with SFZ instruments.

    The files of a film are as loud as its loudest sound; the velocity at which one is chosen makes
    it as loud as it is in the film. A film whose sounds have pitches has an instrument of its own
    too, which plays these in tune: see `frame2sound.rendering.export.key_zones`.

    Raises
    ------
    LibraryError
        The folder exists or cannot be written, there are more films than keys, or no sounds.
    """
    units = EventUnits.from_corpus(corpus)
    films = sorted({units.film(unit) for unit in range(len(units))})
    _check(folder, films)
    played, names = units.as_heard(corpus), safe_file_names(films)
    tuned_files = safe_file_names(films, TUNED_SUFFIX)
    sounds = tuned = 0
    with atomic_folder(folder, LibraryError) as partial:
        lines = ["<global>", "loop_mode=one_shot pitch_keytrack=0 amp_veltrack=100"]
        for key, film, name, file in zip(
            range(FIRST_KEY, LAST_KEY + 1), films, names, tuned_files, strict=False
        ):
            samples = _SampleFolder(partial, name, played)
            lines += ["", f"// {_comment(film)}", "<group>", f"key={key}"]
            for layer in velocity_layers(units, units.units_of(film)):
                lines += samples.regions(layer)
                sounds += len(layer.units)
            own = _tuned_lines(units, played, film, samples)
            if own:
                _write_text(partial / file, [f"// {_comment(film)}", *own])
                tuned += 1
        _write_text(partial / INSTRUMENT_FILE, lines)
    return InstrumentSize(sounds, tuned)


def _tuned_lines(
    units: EventUnits, played: EventUnits, film: str, samples: _SampleFolder
) -> list[str]:
    """Return the instrument of a film's sounds that have pitches; none if none has."""
    zones = key_zones(played, units.units_of(film))
    lines = ["<global>", "loop_mode=one_shot pitch_keytrack=100 amp_veltrack=100"]
    for zone in zones:
        lines += ["", "<group>", f"lokey={zone.low} hikey={zone.high} pitch_keycenter={zone.note}"]
        for layer in velocity_layers(units, np.array(list(zone.cents))):
            lines += samples.regions(layer, zone.cents)
    return lines if zones else []


def velocity_layers(units: EventUnits, own: NDArray[np.int64]) -> list[Layer]:
    """Return the layers of some of a film's sounds, the loudest first; they have all velocities.

    Of more than `MAX_ALTERNATIVES` in a layer, so many are kept, evenly spaced over the film.
    """
    levels = units.levels_db[own]
    loudest = float(levels.max())
    full_db = float(units.levels_db[units.units_of(units.film(int(own[0])))].max())
    steps = np.floor((loudest - levels) / LAYER_DB).astype(int)
    used = sorted(set(steps.tolist()))
    layers, high = [], 127
    for step, following in zip(used, [*used[1:], None], strict=True):
        low = 1 if following is None else velocity_at(-LAYER_DB * following) + 1
        if low > high:  # quieter than velocities can say: with the layer before
            continue
        members = own[steps == step]
        if len(members) > MAX_ALTERNATIVES:
            members = members[np.linspace(0, len(members) - 1, MAX_ALTERNATIVES).astype(int)]
        layers.append(Layer(tuple(members.tolist()), low, high, full_db))
        high = low - 1
    return layers


def velocity_at(relative_db: float) -> int:
    """Return the velocity of a level relative to that of 127.

    >>> velocity_at(0), velocity_at(-6), velocity_at(-40)
    (127, 90, 13)
    """
    return round(127 * 10 ** (relative_db / LEVEL_PER_DECADE_DB))


class _SampleFolder:
    """The WAV files of a film's sounds, each written when a region first plays it."""

    def __init__(self, folder: Path, name: str, units: EventUnits) -> None:
        self._root, self._folder, self._units = folder, Path("samples") / name, units
        self._written: dict[int, str] = {}
        (folder / self._folder).mkdir(parents=True)

    def regions(self, layer: Layer, cents: Mapping[int, float] | None = None) -> Iterator[str]:
        """Yield the lines of a layer's sounds; ``cents`` tune each of them."""
        for place, unit in enumerate(layer.units, 1):
            if unit not in self._written:
                self._written[unit] = self._write(unit, layer.full_db)
            tune = "" if cents is None else f"tune={cents[unit]:.2f} "
            yield (
                f"<region> lovel={layer.low} hivel={layer.high} seq_length={len(layer.units)} "
                f"seq_position={place} {tune}{self._written[unit]}"
            )

    def _write(self, unit: int, full_db: float) -> str:
        """Write a sound; return the opcodes that play its file."""
        path, units = self._folder / f"{unit:05}.wav", self._units
        gain_db = full_db - float(units.levels_db[unit])
        sound = units.sound(unit) * 10 ** (gain_db / 20)
        room = min(_FULL_SCALE / max(float(np.abs(sound).max(initial=0)), 1e-9), 1.0)
        _write_wav(self._root / path, sound * room, units.sample_rate)
        volume_db = 20 * math.log10(1 / room)
        return f"offset={units.lead(unit)} volume={volume_db:.3f} sample={path.as_posix()}"


def _write_text(path: Path, lines: list[str]) -> None:
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _write_wav(path: Path, sound: NDArray[Any], sample_rate: int) -> None:
    try:
        soundfile.write(os.fsencode(path), sound, sample_rate, subtype="PCM_24", format="WAV")
    except soundfile.LibsndfileError as error:
        raise LibraryError(f"{path} cannot be written ({error}); make room on the disk") from error


def _check(folder: Path, films: list[str]) -> None:
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise LibraryError(f"{folder} exists already; choose another name")
    if not films:
        raise LibraryError("the library's films have no sounds to play; expected some that sound")
    if len(films) > LAST_KEY - FIRST_KEY + 1:
        raise LibraryError(
            f"got {len(films)} films for an instrument, expected at most "
            f"{LAST_KEY - FIRST_KEY + 1}, one a key; exclude some"
        )


def _comment(film: str) -> str:
    plain = "".join(each if each.isprintable() else "?" for each in film)
    return plain.encode("utf-8", "replace").decode()
