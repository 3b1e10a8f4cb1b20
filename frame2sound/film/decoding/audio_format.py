"""Read samples and channel names of decoded audio, around two crashes of PyAV 18.1."""

from __future__ import annotations

import ctypes
import re
from typing import Any

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.audio.layout import AudioLayout
from av.audio.plane import AudioPlane
from numpy.typing import NDArray

_SAMPLE_FORMATS = {
    "u8": ("u1", 128.0, 2.0**7),
    "s16": ("<i2", 0.0, 2.0**15),
    "s32": ("<i4", 0.0, 2.0**31),
    "s64": ("<i8", 0.0, 2.0**63),
    "flt": ("<f4", 0.0, 1.0),
    "dbl": ("<f8", 0.0, 1.0),
}
"""For each sample format: NumPy type, zero and full scale of the stored values."""


def to_float_planes(frame: AudioFrame) -> NDArray[np.float32]:
    """Return the samples of a decoded frame; full scale is 1.

    Channels are read one by one, as `AudioFrame.to_ndarray` of PyAV 18.1 crashes on eight channels
    and more: it reads past the end of the list of planes.

    Returns
    -------
    float32 array (channels, n)

    Raises
    ------
    ValueError
        The sample format is not known.
    """
    name = frame.format.name
    planar = frame.format.is_planar
    kind = name[:-1] if planar else name
    if kind not in _SAMPLE_FORMATS:
        raise ValueError(f"got {name} samples, expected one of {', '.join(_SAMPLE_FORMATS)}")
    stored, zero, full_scale = _SAMPLE_FORMATS[kind]
    samples = np.empty((frame.layout.nb_channels, frame.samples), np.float32)
    if planar:
        for number, row in enumerate(samples):
            row[:] = _stored_samples(frame, number, stored, frame.samples)
    else:
        samples.T[:] = _stored_samples(frame, 0, stored, samples.size).reshape(samples.T.shape)
    if full_scale != 1:
        samples -= np.float32(zero)
        samples *= np.float32(1 / full_scale)
    return samples


def _stored_samples(
    frame: AudioFrame, plane: int, stored: str, count: int
) -> NDArray[np.number[Any]]:
    return np.frombuffer(memoryview(AudioPlane(frame, plane)), stored, count)


def channel_names(decoder: av.AudioCodecContext) -> tuple[str, ...]:
    """Return the names of the channels, such as "FL", before the decoder is opened.

    PyAV 18.1 frees a layout with a custom order once for each access, and crashes. Such a layout
    is replaced in the decoder by one that has only the number of channels.
    """
    layout = decoder.layout
    if _is_custom(layout):
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(layout))  # never freed by Python
        names = tuple(channel.name for channel in layout.channels)
        decoder.layout = AudioLayout(f"{len(names)} channels")
        return names
    return tuple(channel.name for channel in layout.channels)


def _is_custom(layout: AudioLayout) -> bool:
    """Return whether a layout names its channels one by one, as "2 channels (FR+FL)"."""
    return re.match(r"\d+ channels \(", layout.name) is not None
