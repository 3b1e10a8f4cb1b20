"""The channels of a sound, also where PyAV cannot free what names them."""

from __future__ import annotations

import ctypes
import re

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
"""For each sample format the type, the zero and the full scale of what is stored."""


def to_float_planes(frame: AudioFrame) -> NDArray[np.float32]:
    """Return the samples of a decoded frame, full scale at 1.

    This reads the channels one by one: `AudioFrame.to_ndarray` (PyAV 18.1) looks for an end of
    their list that the list does not have, so that it crashes on eight channels and more.

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
    channels = frame.layout.nb_channels
    count = frame.samples if planar else frame.samples * channels
    planes = [
        np.frombuffer(memoryview(AudioPlane(frame, number)), stored, count)
        for number in range(channels if planar else 1)
    ]
    samples = np.stack(planes) if planar else planes[0].reshape(-1, channels).T
    if full_scale == 1:
        return np.ascontiguousarray(samples, np.float32)
    floats = np.ascontiguousarray(samples, np.float32)
    return np.asarray((floats - np.float32(zero)) * np.float32(1 / full_scale), np.float32)


def channel_names(decoder: av.AudioCodecContext) -> tuple[str, ...]:
    """Return the names of a sound's channels, such as "FL", before its decoder is opened.

    PyAV 18.1 frees a layout with an order of its own as often as it has looked at it, and crashes.
    Such a layout is taken from the decoder, which then knows only how many channels there are.
    """
    layout = decoder.layout
    if _is_custom(layout):
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(layout))  # never freed by Python
        names = tuple(channel.name for channel in layout.channels)
        decoder.layout = AudioLayout(f"{len(names)} channels")
        return names
    return tuple(channel.name for channel in layout.channels)


def _is_custom(layout: AudioLayout) -> bool:
    """Whether FFmpeg describes a layout channel by channel, as "2 channels (FR+FL)"."""
    return re.match(r"\d+ channels \(", layout.name) is not None
