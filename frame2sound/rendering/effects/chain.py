"""A chain of effects: read strictly, played in its order."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, get_args, get_type_hints

import msgspec
import numpy as np
from msgspec import Meta
from numpy.typing import NDArray

from frame2sound.errors import SoundtrackError
from frame2sound.rendering.audio_spool import AudioSpool
from frame2sound.rendering.effects.host import (
    Chunks,
    EffectContext,
    append_silence,
    process_groups,
)
from frame2sound.rendering.effects.kinds import EFFECTS, Effect, Layer
from frame2sound.untrusted import read_toml

_KINDS = {effect: kind for kind, effect in EFFECTS.items()}

_LEADING_POINT = re.compile(r"(?<![\d.])\.(?=\d)")
"""Of numbers such as ``.3``, which TOML lacks."""


@dataclass(frozen=True)
class EffectChain:
    """Effects, first to last."""

    effects: tuple[Effect, ...] = ()

    @property
    def not_additive(self) -> tuple[str, ...]:
        """The kinds of effects on a sum of sounds that are not the sum of those on each."""
        return tuple(_KINDS[type(each)] for each in self.effects if not each.is_additive)

    @property
    def moving_time(self) -> tuple[str, ...]:
        """The kinds of effects that play in a part of a film what the whole plays elsewhere."""
        return tuple(_KINDS[type(each)] for each in self.effects if each.moves_time)

    def apply(
        self,
        chunks: Chunks,
        sample_rate: int,
        channels: int,
        spool_folder: Path,
        *,
        keep_length: bool = True,
    ) -> Iterator[NDArray[np.float32]]:
        """Yield the sound with all effects; the length is the same, to the sample.

        Tails beyond the end are cut. Silence before the first sound stays exactly silent, except
        with reverse, time-stretch, pitch-shift and a layer of the reverse.

        Parameters
        ----------
        chunks : iterable of arrays of shape (n,) or (n, channels)
            Mono sound is copied to both channels of a stereo output.
        sample_rate : int
            In Hz.
        channels : int
            Of the output: 1, as ``(n,)``, or 2, as ``(n, 2)``.
        spool_folder : Path
            Where reverse, time-stretch and layer, which need all of the sound, create temporary
            files.
        keep_length : bool
            False lets stretched sound have its own length, and echoes and halls end by themselves.

        Raises
        ------
        SoundtrackError
            A frequency is not below half the sample rate.
        """
        sound: Chunks = (_to_channels(chunk, channels) for chunk in chunks)
        with self._original(spool_folder) as original:
            context = EffectContext(sample_rate, channels, spool_folder, keep_length, original)
            sound = sound if original is None else original.tee(sound)
            for effect in self.effects:
                if effect.tail_seconds and not keep_length:
                    tail = round(effect.tail_seconds * sample_rate)
                    sound = append_silence(sound, tail, channels)
                sound = effect.apply(sound, context)
            for chunk in sound:
                yield chunk[:, 0] if channels == 1 else chunk

    def apply_to_groups(
        self, chunks: Chunks, sample_rate: int, channels: int, groups: int, spool_folder: Path
    ) -> Iterator[NDArray[np.float32]]:
        """Return chunks ``(n, groups * channels)`` of which each group has all effects by itself.

        The other parameters are those of `apply`.
        """
        with self._original(spool_folder) as original:
            context = EffectContext(sample_rate, channels, spool_folder, original=original)
            sound = chunks if original is None else original.tee(chunks)
            for effect in self.effects:
                if effect.is_per_channel:
                    sound = effect.apply(sound, replace(context, channels=groups * channels))
                else:
                    sound = process_groups(sound, channels, partial(effect.apply, context=context))
            yield from sound

    def _original(self, folder: Path) -> AbstractContextManager[AudioSpool | None]:
        """Return a spool for the sound before all effects, if an effect asks for it."""
        asked = any(isinstance(each, Layer) and each.of == "original" for each in self.effects)
        return AudioSpool(folder) if asked else nullcontext()


def parse_chain(text: str) -> EffectChain:
    """Return the chain of a text such as ``reverb room=0.4 wet=0.3, delay seconds=0.25``.

    Raises
    ------
    SoundtrackError
        An effect or a setting is unknown, missing, given twice or out of range.
    """
    return EffectChain(tuple(_effect(_table(part)) for part in text.split(",")))


def load_chain(path: Path) -> EffectChain:
    """Return the chain of a TOML file of tables ``[[effect]]``, each with a ``kind`` and settings.

    Raises
    ------
    SoundtrackError
        The file cannot be read, or a setting is refused as by `parse_chain`.
    """
    try:
        table = read_toml(path)
    except (OSError, ValueError) as error:
        raise SoundtrackError(f"{path} is not readable as a chain of effects: {error}") from error
    effects = table.pop("effect", None)
    if table or not isinstance(effects, list) or not all(isinstance(e, dict) for e in effects):
        raise SoundtrackError(
            f"{path} is not a chain of effects; expected tables [[effect]] and nothing else"
        )
    return EffectChain(tuple(_effect(dict(effect)) for effect in effects))


def _table(text: str) -> dict[str, Any]:
    kind, *settings = text.split() or [""]
    table: dict[str, Any] = {"kind": kind}
    for setting in settings:
        name, equals, value = setting.partition("=")
        if not (name and equals and value):
            raise SoundtrackError(f"{kind}: got {setting!r}, expected setting=value")
        if name in table:
            raise SoundtrackError(f"{kind}: got {name} twice, expected it once")
        try:
            table[name] = tomllib.loads(f"value = {_LEADING_POINT.sub('0.', value)}")["value"]
        except (ValueError, RecursionError):
            table[name] = value
    return table


def _effect(table: dict[str, Any]) -> Effect:
    kind = table.pop("kind", "")
    if not isinstance(kind, str) or kind not in EFFECTS:
        raise SoundtrackError(f"no effect {kind!r}; expected one of {', '.join(EFFECTS)}")
    effect = EFFECTS[kind]
    hints = get_type_hints(effect, include_extras=True)
    known = ", ".join(effect.__struct_fields__)
    for name, value in table.items():
        if name not in effect.__struct_fields__:
            raise SoundtrackError(f"{kind}: got setting {name!r}, expected {known}")
        try:
            msgspec.convert(value, hints[name])
        except msgspec.ValidationError as error:
            expected = f"expected {_range(hints[name])}"
            raise SoundtrackError(f"{kind}: got {name}={value}, {expected}") from error
    try:
        return msgspec.convert(table, effect)
    except msgspec.ValidationError as error:
        missing = [name for name in effect.__struct_fields__ if name not in table]
        raise SoundtrackError(f"{kind}: got no {missing[0]}, expected {known}") from error


def _range(hint: Any) -> str:
    for part in (hint, *getattr(hint, "__args__", ())):
        for meta in getattr(part, "__metadata__", ()):
            if isinstance(meta, Meta):
                return f"a number from {meta.ge:g} to {meta.le:g}"
    words = [str(choice) for choice in get_args(hint) if isinstance(choice, str)]
    return " or ".join(words) or "a number"


def _to_channels(chunk: NDArray[np.float32], channels: int) -> NDArray[np.float32]:
    planes = chunk[:, None] if chunk.ndim == 1 else chunk
    return np.repeat(planes, channels, axis=1) if planes.shape[1] < channels else planes
