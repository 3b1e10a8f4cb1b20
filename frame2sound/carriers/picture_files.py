"""Pictures and films that carry sound: writing them, and reading what tools made of them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from warnings import catch_warnings, simplefilter

import av
import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, PngImagePlugin

from frame2sound.carriers.colours import Planes, to_bytes, to_rgb
from frame2sound.carriers.page_source import Picture
from frame2sound.carriers.parameters import CarrierParameters, Kind
from frame2sound.carriers.picture_process import decode_pictures, read_metadata
from frame2sound.errors import CarrierError, FilmError
from frame2sound.untrusted import read_bytes

KEY = "frame2sound"
"""The name under which a picture or a film holds the parameters."""

SHEET = "carrier.json"
"""The file in a folder of pictures that holds them."""

MAX_SHEET_BYTES = 1 << 16
"""Longer texts are not read for parameters, which take some hundred bytes."""

PICTURE_SUFFIXES = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".webp", ".bmp")
LOSSLESS_SUFFIXES = (".png",)
FILM_SUFFIXES = (".mkv", ".mp4", ".mov")

EVEN_BITS = "aq-mode=0:mbtree=0"
"""x264 otherwise gives fewer bits to what looks complicated to the eye: all of the cells."""

LOSSLESS_FORMATS = {Kind.SAMPLES: "gray16le", Kind.SPECTRUM: "bgr0"}
"""What FFV1 stores; others are grey, of 8 bits."""

LIMITED, BT_601 = 1, 6
"""FFmpeg's numbers of a range and a matrix."""


def write_picture(path: Path, page: Planes, parameters: CarrierParameters) -> None:
    """Write a page as a PNG, with the parameters in its text."""
    text = PngImagePlugin.PngInfo()
    text.add_text(KEY, to_json(parameters))
    _image(page, parameters.kind).save(path, format="PNG", pnginfo=text, compress_level=4)


def to_json(parameters: CarrierParameters) -> str:
    """Return the parameters as a line of JSON."""
    return json.dumps({KEY: parameters.to_dict()})


def from_json(text: str) -> CarrierParameters | None:
    """Return the parameters in a text; None if it holds none that are valid."""
    if len(text) <= MAX_SHEET_BYTES:
        with suppress(ValueError, TypeError, KeyError, RecursionError):
            return CarrierParameters.from_dict(json.loads(text)[KEY])
    return None


@dataclass
class FilmWriter:
    """Writes pages as the frames of a film; a context manager.

    Attributes
    ----------
    path : Path
    parameters : CarrierParameters
    fps : Fraction
    crf : int or None
        Of H.264; None for FFV1, which loses nothing.
    """

    path: Path
    parameters: CarrierParameters
    fps: Fraction
    crf: int | None = None

    def __enter__(self) -> FilmWriter:
        self._output = av.open(str(self.path.absolute()), "w")
        self._output.metadata["comment"] = to_json(self.parameters)
        self._stream: av.VideoStream | None = None
        return self

    def __exit__(self, *reason: object) -> None:
        if reason[0] is None and self._stream is not None:
            self._output.mux(self._stream.encode())
        self._output.close()

    def add(self, page: Planes) -> None:
        """Add a page."""
        if self._stream is None:
            self._stream = self._begin(*page.shape[:2])
        frame = self._frame(page)
        self._output.mux(self._stream.encode(frame))

    def _begin(self, height: int, width: int) -> av.VideoStream:
        if self.crf is None:
            stream = self._output.add_stream("ffv1", rate=self.fps, options={"level": "3"})
            stream.pix_fmt = LOSSLESS_FORMATS.get(self.parameters.kind, "gray")
        else:
            options = {"crf": str(self.crf), "x264-params": EVEN_BITS}
            stream = self._output.add_stream("libx264", rate=self.fps, options=options)
            stream.pix_fmt = "yuv420p"
            stream.codec_context.color_range = LIMITED
            stream.codec_context.colorspace = BT_601
        stream.width, stream.height = width, height
        return stream

    def _frame(self, page: Planes) -> av.VideoFrame:
        if self.crf is not None:
            return _limited_frame(page, self.parameters.kind is Kind.SPECTRUM)
        if self.parameters.kind is Kind.SAMPLES:
            return av.VideoFrame.from_ndarray(_sixteen_bits(page), "gray16le")
        if self.parameters.kind is not Kind.SPECTRUM:
            return av.VideoFrame.from_ndarray(
                to_bytes(np.asarray(cv2.extractChannel(page, 0))), "gray"
            )
        rgb = av.VideoFrame.from_ndarray(to_bytes(to_rgb(page)), "rgb24")
        return rgb.reformat(format="bgr0")


def read_pictures(path: Path) -> Iterator[Picture]:
    """Yield the pictures of a file, a film, or a folder in the order of their names.

    They are decoded in a process of their own.

    Raises
    ------
    CarrierError
        There is none, or one cannot be read.
    """
    files = [path]
    if path.is_dir():
        files = sorted(p for p in path.iterdir() if p.suffix.lower() in PICTURE_SUFFIXES)
    if not files:
        raise CarrierError(f"{path} holds no pictures; expected PNG, JPEG or TIFF")
    try:
        for file in files:
            yield from decode_pictures(file)
    except FilmError as error:
        raise CarrierError(str(error)) from error


def parameters_beside(path: Path) -> CarrierParameters | None:
    """Return the parameters in the metadata of pictures, or in the file beside them."""
    for text in _texts(path):
        found = from_json(text)
        if found is not None:
            return found
    return None


def sheet_path(path: Path) -> Path:
    """Return the path of the JSON beside a picture or a film, or in a folder of pictures."""
    if path.is_dir() or not path.suffix:
        return path / SHEET
    return path.with_name(f"{path.name}.json")


def _texts(path: Path) -> Iterator[str]:
    with suppress(OSError, UnicodeDecodeError):
        yield read_bytes(sheet_path(path), MAX_SHEET_BYTES, follow_links=True).decode("utf-8")
    if path.is_dir():
        return
    with suppress(OSError, ValueError, Image.DecompressionBombError), catch_warnings():
        simplefilter("ignore", Image.DecompressionBombWarning)
        with Image.open(path) as image:
            yield str(image.info.get(KEY, ""))
        return
    with suppress(FilmError):
        yield read_metadata(path).get("comment", "")


def _image(page: Planes, kind: Kind) -> Image.Image:
    if kind is Kind.SAMPLES:
        return Image.fromarray(_sixteen_bits(page))
    if kind is Kind.SPECTRUM:
        return Image.fromarray(to_bytes(to_rgb(page)))
    return Image.fromarray(to_bytes(page[..., 0])).convert("RGB")


def _sixteen_bits(page: Planes) -> NDArray[np.uint16]:
    return np.clip(np.rint(page[..., 0] * 257), 0, 65535).astype(np.uint16)


def _limited_frame(page: Planes, is_coloured: bool) -> av.VideoFrame:
    """Return a frame of limited range, whose chroma is the mean of four pixels."""
    height, width = page.shape[:2]
    frame = av.VideoFrame(width, height, "yuv420p")
    frame.color_range, frame.colorspace = LIMITED, BT_601
    half = height // 2, width // 2
    levels = [_scaled(_one_plane(page, 0), 219 / 255, 16)]
    for number in (1, 2):
        if is_coloured:
            chroma = _one_plane(page, number)
            means = cv2.resize(chroma, half[::-1], interpolation=cv2.INTER_AREA)
            levels.append(_scaled(np.asarray(means), 224 / 255, 128))
        else:
            levels.append(np.full(half, 128, np.uint8))
    for plane, values in zip(frame.planes, levels, strict=True):
        rows = np.zeros((plane.height, plane.line_size), np.uint8)
        rows[:, : plane.width] = values
        plane.update(rows.tobytes())
    return frame


def _one_plane(page: Planes, number: int) -> Planes:
    return np.asarray(cv2.extractChannel(page, number), page.dtype)


def _scaled(levels: Planes, gain: float, zero: float) -> NDArray[np.uint8]:
    return np.asarray(cv2.addWeighted(levels, gain, levels, 0, zero, dtype=cv2.CV_8U), np.uint8)
