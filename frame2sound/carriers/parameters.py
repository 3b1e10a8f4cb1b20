"""What a reader must know of a carrier, and its code of 40 bytes in every picture."""

from __future__ import annotations

import re
import struct
import zlib
from dataclasses import asdict, dataclass, replace
from enum import IntEnum
from fractions import Fraction
from typing import Any

VERSION = 1

MAX_SAMPLE_RATE, MAX_CHANNELS, MAX_FFT, MAX_SIDE = 768_000, 2, 1 << 15, 1 << 14
MAX_SAMPLES = 1 << 40

MAX_FPS_NUMERATOR, MAX_FPS_DENOMINATOR = (1 << 32) - 1, (1 << 16) - 1
"""Of a frame rate in the code."""

_FPS = re.compile(r"[0-9]{1,10}(/[0-9]{1,5})?")

_CODE = struct.Struct(">BBIBBQHHHHhHHHI")
_CHECK = struct.Struct(">I")
CODE_BYTES = _CODE.size + _CHECK.size


class Kind(IntEnum):
    """The carriers, by the numbers that stand for them in the code."""

    SAMPLES = 1
    SPECTRUM = 2
    SCROLL = 3
    MAGNITUDE = 4


@dataclass(frozen=True)
class CarrierParameters:
    """What a reader must know of the pictures of a sound.

    Attributes
    ----------
    kind : Kind
    sample_rate : int
        In Hz.
    channels : int
        1 or 2; two are stacked, left above right.
    samples : int
        Of each channel, in all pictures together.
    columns, rows : int
        Cells of a channel in a picture: windows by bins, or samples by samples.
    cell : int
        Side of a cell in pixels.
    n_fft, hop : int
        Of the short-time Fourier transform, in samples; 0 for samples.
    reference_db : float
        Magnitude of the brightest cell, in dB of a sine of amplitude 1; in steps of 0.01.
    range_db : int
        How much quieter the darkest is.
    columns_per_frame, fps : int, Fraction
        By how much a scrolling film moves, and its frame rate; 0 for others.
    page : int
        The number of the picture, from 0.

    Examples
    --------
    >>> one = CarrierParameters(Kind.SPECTRUM, 22050, 1, 44100, 464, 400, 1, 800, 200, -3.5, 80)
    >>> CarrierParameters.from_code(one.code()) == one
    True
    """

    kind: Kind
    sample_rate: int
    channels: int
    samples: int
    columns: int
    rows: int
    cell: int = 1
    n_fft: int = 0
    hop: int = 0
    reference_db: float = 0.0
    range_db: int = 0
    columns_per_frame: int = 0
    fps: Fraction = Fraction(0)
    page: int = 0

    def __post_init__(self) -> None:
        limits = {
            "sample_rate": (1, MAX_SAMPLE_RATE),
            "channels": (1, MAX_CHANNELS),
            "samples": (1, MAX_SAMPLES),
            "columns": (1, MAX_SIDE),
            "rows": (1, MAX_SIDE),
            "cell": (1, 16),
            "n_fft": (0, MAX_FFT),
            "hop": (0, MAX_FFT // 2),
            "reference_db": (-327.68, 327.67),
            "range_db": (0, 200),
            "columns_per_frame": (0, 255),
            "page": (0, 1 << 32),
        }
        for name, (low, high) in limits.items():
            if not low <= (value := getattr(self, name)) <= high:
                raise ValueError(f"{name} of {value}, expected {low} to {high}")
        numerator, denominator = self.fps.as_integer_ratio()
        if numerator > MAX_FPS_NUMERATOR or denominator > MAX_FPS_DENOMINATOR:
            raise ValueError(f"{self.fps} frames a second, whose fraction has too many digits")
        if self.kind is not Kind.SAMPLES:
            self._check_transform()

    def _check_transform(self) -> None:
        if self.n_fft < 8 or self.n_fft % 2 or not 1 <= self.hop <= self.n_fft // 2:
            raise ValueError(f"a transform of {self.n_fft} samples with a hop of {self.hop}")
        if self.rows > self.n_fft // 2 + 1 or self.range_db < 1:
            raise ValueError(f"{self.rows} rows of {self.range_db} dB for {self.n_fft} samples")
        if self.kind is Kind.SCROLL and not (self.columns_per_frame and self.fps > 0):
            raise ValueError("a film that does not scroll")

    def on_page(self, page: int) -> CarrierParameters:
        """Return the parameters of another picture of the same sound."""
        return replace(self, page=page)

    def code(self) -> bytes:
        """Return `CODE_BYTES` bytes that hold everything, with a checksum (CRC-32)."""
        fields = _CODE.pack(
            VERSION << 4 | self.kind,
            self.channels << 4 | self.cell % 16,
            self.sample_rate,
            self.range_db,
            self.columns_per_frame,
            self.samples,
            self.columns,
            self.rows,
            self.n_fft,
            self.hop,
            round(100 * self.reference_db),
            self.fps.numerator & 0xFFFF,
            self.fps.denominator,
            self.fps.numerator >> 16,
            self.page,
        )
        return fields + _CHECK.pack(zlib.crc32(fields))

    @classmethod
    def from_code(cls, code: bytes) -> CarrierParameters:
        """Return the parameters of a code.

        Raises
        ------
        ValueError
            It is no code, is damaged, or is of a later version.
        """
        fields = code[: _CODE.size]
        if len(code) != CODE_BYTES or _CHECK.pack(zlib.crc32(fields)) != code[_CODE.size :]:
            raise ValueError("no code, or a damaged one")
        kind, shape, rate, level, step, samples, *sides, db, low, denominator, high, page = (
            _CODE.unpack(fields)
        )
        if kind >> 4 != VERSION:
            raise ValueError(f"a code of version {kind >> 4}, expected {VERSION}")
        fps = Fraction(high << 16 | low, denominator or 1)
        columns, rows, n_fft, hop = sides
        return cls(
            Kind(kind & 15), rate, shape >> 4, samples, columns, rows, shape & 15 or 16, n_fft,
            hop, db / 100, level, step, fps, page,
        )  # fmt: skip

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return asdict(self) | {"kind": self.kind.name.lower(), "fps": str(self.fps)}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> CarrierParameters:
        """Return the parameters that `to_dict` made plain.

        Raises
        ------
        ValueError
            A value is missing, unknown or impossible.
        """
        try:
            kind, fps = Kind[values["kind"].upper()], values["fps"]
            if not _FPS.fullmatch(fps):
                raise ValueError("a frame rate that is no fraction")
            others = {k: v for k, v in values.items() if k not in ("kind", "fps")}
            for name, value in others.items():
                if type(value) is not int and not (name == "reference_db" and type(value) is float):
                    raise ValueError(f"a {name} that is no number, or not whole")
            return cls(kind=kind, fps=Fraction(fps), **others)
        except (KeyError, TypeError, AttributeError, ZeroDivisionError) as error:
            raise ValueError(f"no parameters of a carrier ({error})") from error
