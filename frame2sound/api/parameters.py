"""Reading arguments: as numbers, or as the texts that the command line takes."""

from __future__ import annotations

import json
import re
from codecs import BOM_UTF8
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from frame2sound.errors import Frame2SoundError, error_reason

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

    from frame2sound.sound.scale import Scale

Level = float | str
"""A level in decibels, as ``-12`` or ``"-12dB"``."""

FrameRate = str | float | Fraction
"""Frames per second, as ``24``, ``23.976`` or ``"30000/1001"``."""

Seconds = str | float | Fraction
"""A time in seconds, as ``12.5`` or ``"12.5"``."""

Settings = Iterable[str] | Mapping[str, Any]
"""Settings, as ``["density=300"]`` or ``{"density": 300}``."""

Options = TypeVar("Options", bound="DataclassInstance")

MIN_GAIN_DB, MAX_GAIN_DB = -200.0, 60.0
MIN_SIZE, MAX_SIZE = 16, 8192

MAX_SCALA_BYTES = 1 << 18

_SCALA_FILE = re.compile(r"(.+\.scl)(?: on (.+))?", re.IGNORECASE)
_BYTES = re.compile(r"(\d+(?:\.\d+)?)\s*([kMGT])(i?)B", re.IGNORECASE)
_SECONDS = re.compile(r"\d{1,9}(\.\d{1,9})?")
_GREY_LEVELS = {"black": 0, "grey": 128, "gray": 128, "white": 255}


class ParameterError(Frame2SoundError):
    """An argument is out of its range, or contradicts another."""


def decibels(parameter: str, value: Level) -> float:
    """Return a level in decibels, from -200 to 60.

    Examples
    --------
    >>> decibels("gain", "-12dB"), decibels("gain", -6)
    (-12.0, -6.0)
    """
    level = _number_with_unit(value, "dB")
    if level is None or not MIN_GAIN_DB <= level <= MAX_GAIN_DB:
        raise ParameterError(f"got `{parameter}={value}`, expected a level from -200dB to 60dB")
    return level


def lufs(parameter: str, value: float | str) -> float:
    """Return a loudness in LUFS, from -70 to 0.

    Examples
    --------
    >>> lufs("loudness", "-23LUFS")
    -23.0
    """
    loudness = _number_with_unit(value, "LUFS")
    if loudness is None or not -70 <= loudness <= 0:
        raise ParameterError(f"got `{parameter}={value}`, expected -70 to 0 LUFS")
    return loudness


def number_of_bytes(parameter: str, value: float | str) -> int:
    """Return a size in bytes.

    Examples
    --------
    >>> number_of_bytes("memory", "1.5GiB"), number_of_bytes("memory", 5e8)
    (1610612736, 500000000)
    """
    if not isinstance(value, str):
        return round(value)
    match = _BYTES.fullmatch(value.strip())
    if match is None:
        raise ParameterError(f"got `{parameter}={value}`, expected a size, as 500MB, 2GB or 1.5GiB")
    power = "kmgt".index(match[2].lower()) + 1
    unit: int = (1024 if match[3] else 1000) ** power
    return round(float(match[1]) * unit)


def grey_level(parameter: str, value: int | str) -> int:
    """Return a grey value, 0 black to 255 white.

    Examples
    --------
    >>> grey_level("background", "white"), grey_level("background", 128)
    (255, 128)
    """
    word = str(value).strip().lower()
    level = _GREY_LEVELS.get(word, int(word) if re.fullmatch(r"[0-9]{1,3}", word) else -1)
    if not 0 <= level <= 255:
        raise ParameterError(f"got `{parameter}={value}`, expected black, grey, white or 0 to 255")
    return level


def frame_rate(parameter: str, value: FrameRate) -> Fraction:
    """Return frames per second as an exact fraction; 23.976 and 23.98 mean 24000/1001.

    Examples
    --------
    >>> frame_rate("fps", 23.976), frame_rate("fps", "12.5")
    (Fraction(24000, 1001), Fraction(25, 2))
    """
    from frame2sound.clock import parse_typed_frame_rate

    try:
        return parse_typed_frame_rate(str(value).strip())
    except ValueError as error:
        raise ParameterError(f"`{parameter}`: {error}") from error


def seconds(parameter: str, value: Seconds) -> Fraction:
    """Return a time in seconds, 0 or more, exactly as it is written.

    Examples
    --------
    >>> seconds("start_seconds", 0.1), seconds("start_seconds", "12.5")
    (Fraction(1, 10), Fraction(25, 2))
    """
    text = str(value).strip()
    is_readable = not isinstance(value, str) or _SECONDS.fullmatch(text)
    try:
        number = Fraction(text) if is_readable else Fraction(-1)
    except ValueError:
        number = Fraction(-1)
    if number < 0:
        raise ParameterError(f"got `{parameter}={value}`, expected seconds, 0 or more, as 12.5")
    return number


def frame_size(parameter: str, value: str | tuple[int, int]) -> tuple[int, int]:
    """Return width and height in pixels, each from 16 to 8192.

    Examples
    --------
    >>> frame_size("size", "480x360")
    (480, 360)
    """
    text = value if isinstance(value, str) else "x".join(map(str, value))
    match = re.fullmatch(r"(\d+)x(\d+)", text)
    if match is None or not all(MIN_SIZE <= int(side) <= MAX_SIZE for side in match.groups()):
        raise ParameterError(
            f"got `{parameter}={text}`, expected WIDTHxHEIGHT from 16 to 8192, as 480x360"
        )
    return int(match[1]), int(match[2])


def musical_scale(parameter: str, value: str | Scale) -> Scale:
    """Return a scale, read from a text such as ``"D minor"`` or ``"my.scl on D3"``."""
    from frame2sound.sound.named_scales import parse_scale
    from frame2sound.sound.scale import Scale

    if isinstance(value, Scale):
        return value
    if not isinstance(value, str):
        raise ParameterError(f"got `{parameter}={value}`, expected a text or a Scale, as 'D minor'")
    try:
        scala = _SCALA_FILE.fullmatch(value.strip())
        return _scala_file(Path(scala[1]), scala[2] or "C4") if scala else parse_scale(value)
    except ValueError as error:
        raise ParameterError(f"`{parameter}`: {error}") from error


def _scala_file(path: Path, tonic: str) -> Scale:
    from frame2sound.sound.named_scales import parse_tonic_hz
    from frame2sound.sound.scala_file import parse_scala
    from frame2sound.sound.scale import CONCERT_PITCH_HZ
    from frame2sound.untrusted import read_bytes

    try:
        stored = read_bytes(path, MAX_SCALA_BYTES, follow_links=True)
    except OSError as error:
        raise ParameterError(
            f"{path} cannot be read ({error_reason(error)}), expected a Scala file"
        ) from error
    tonic_hz = parse_tonic_hz(tonic, CONCERT_PITCH_HZ)
    text = stored.removeprefix(BOM_UTF8).decode("latin-1")
    try:
        return parse_scala(text, tonic_hz)
    except ValueError as error:
        raise ValueError(f"{path} is not readable as a Scala file: {error}") from error


def output_suffix(parameter: str, path: Path, suffixes: Sequence[str]) -> None:
    """Raise `ParameterError` if the name of an output does not end as its format does.

    It also keeps a sound that is read from being overwritten by a table made of it.
    """
    if path.suffix.lower() not in suffixes:
        expected = " or ".join(suffixes)
        raise ParameterError(f"got `{parameter}={path}`, expected a name that ends with {expected}")


def one_of(parameter: str, value: str | None, choices: Iterable[str]) -> None:
    """Raise `ParameterError` if a value is not one of the choices; None is none given."""
    known = tuple(choices)
    if value is not None and value not in known:
        raise ParameterError(f"got `{parameter}={value}`, expected {', '.join(known)}")


def at_least(parameter: str, value: float | None, minimum: float) -> None:
    """Raise `ParameterError` if a number is less than the minimum; None is none given."""
    if value is not None and value < minimum:
        raise ParameterError(f"got `{parameter}={value:g}`, expected {minimum:g} or more")


def whole_number(parameter: str, value: int | None, minimum: int) -> None:
    """Raise `ParameterError` unless a value is whole and not below a minimum; None is none given.

    Examples
    --------
    >>> whole_number("seed", 7, 0)
    """
    if value is None:
        return
    if not hasattr(value, "__index__"):
        raise ParameterError(f"got `{parameter}={value}`, expected a whole number")
    at_least(parameter, value, minimum)


def texts(parameter: str, value: Iterable[str]) -> list[str]:
    """Return a list of texts; a single text would be taken for a list of letters.

    Examples
    --------
    >>> texts("only", ["my-film"])
    ['my-film']
    """
    if isinstance(value, str):
        raise ParameterError(f"got `{parameter}={value}`, expected a list of texts: [{value!r}]")
    return list(value)


def setting_texts(settings: Settings | None) -> list[str]:
    """Return settings as texts.

    Examples
    --------
    >>> setting_texts({"training.epochs": 5}), setting_texts(["density=300"])
    (['training.epochs=5'], ['density=300'])
    >>> setting_texts({"target": {"kind": "mel", "bands": 64}})
    ['target={kind = "mel", bands = 64}']
    """
    if isinstance(settings, Mapping):
        return [f"{name}={_toml(value)}" for name, value in settings.items()]
    if isinstance(settings, str):
        raise ParameterError(f"got the text {settings!r}, expected a list of settings")
    return list(settings or ())


def options_of(kind: type[Options], arguments: Mapping[str, Any]) -> Options:
    """Return a dataclass of options, whose fields are all among the arguments of a function."""
    return kind(**{field.name: arguments[field.name] for field in fields(kind)})


def _toml(value: Any) -> str:
    """Return a value in TOML; a text by itself has no quotes, as on the command line."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{name} = {_quoted(each)}' for name, each in value.items())}}}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_quoted, value))}]"
    return str(value)


def _quoted(value: Any) -> str:
    return json.dumps(str(value)) if isinstance(value, str | Fraction) else _toml(value)


def _number_with_unit(value: float | str, unit: str) -> float | None:
    if not isinstance(value, str):
        return float(value)
    match = re.fullmatch(rf"([+-]?\d+(\.\d+)?)\s*({unit})?", value.strip(), re.IGNORECASE)
    return None if match is None else float(match[1])
