"""From frames to the numbers that enter a network: encoded pictures, profiles and brightness.

All functions take arrays of NumPy and tensors of PyTorch, and return the same kind.
"""

from __future__ import annotations

from typing import Any

from frame2sound.brain.arrays import Array, constant, library_of
from frame2sound.brain.config import Eigenframes, Fft2, InputConfig, Pixels
from frame2sound.film.small_frames import GREY_WEIGHTS, SIZE

PIXELS = SIZE * SIZE
HALF = SIZE // 2 + 1
"""Columns of the Fourier transform of a real picture."""

POOLED_SIZE = (1, 4, 16, 64)
"""Numbers of rows, or columns, over which profiles are averaged."""

PROFILE_COUNT = 4 * sum(SIZE // width for width in POOLED_SIZE)
"""The number of values that `brightness_profiles` returns per picture."""

BRIGHTNESS_COUNT = 3
"""The number of values that `brightness_features` returns per picture."""


def input_size(config: InputConfig) -> int:
    """Return the number of values that enter a network per frame."""
    return view_size(config) * (config.still_frames + config.motion)


def view_size(config: InputConfig) -> int:
    """Return the number of values of one picture."""
    plane = 2 * SIZE * HALF if _is_transformed(config) else PIXELS
    return plane * (3 if config.colour else 1)


def encode_frames(windows: Array, config: InputConfig) -> Array:
    """Return the network's inputs for windows of frames, float32 ``(n, input_size)``.

    The order is: the current frame, past frames from the latest to the earliest, the motion; within
    each, red, green, blue.

    Parameters
    ----------
    windows : uint8 array (n, 1 + past_frames, 64, 64) or (n, 1 + past_frames, 64, 64, 3)
        Each current frame, preceded by its past frames in order of time.
    """
    library = library_of(windows)
    latest_first = library.flip(_planes(windows, colour=config.colour), (1,))
    views = [latest_first[:, : config.still_frames]]
    if config.motion:
        views.append(latest_first[:, :1] - latest_first[:, 1:2])
    inputs = views[0] if len(views) == 1 else library.concatenate(views, 1)
    if _is_transformed(config):
        inputs = _fft2(inputs)
    encoded: Array = inputs.reshape(len(windows), input_size(config))
    return encoded


def pixels(frames: Array) -> Array:
    """Return the grey values ``(n, 4096)`` in [0, 1] of uint8 frames ``(n, 64, 64)``, or colour."""
    return encode_frames(frames[:, None], Pixels())


def _is_transformed(config: InputConfig) -> bool:
    return isinstance(config, Fft2) or (isinstance(config, Eigenframes) and config.of == "fft2")


def _planes(windows: Array, *, colour: bool) -> Any:
    """Return float32 planes in [0, 1], ``(n, 1 + past_frames, planes, 64, 64)``."""
    library = library_of(windows)
    values = library.asarray(windows, dtype=library.float32) / 255
    if windows.ndim == 4:
        if colour:
            raise ValueError("got grey frames, expected colour")
        return values[:, :, None]
    values = library.moveaxis(values, -1, 2)
    if colour:
        return values
    return library.einsum("nmchw,c->nmhw", values, constant(GREY_WEIGHTS, values))[:, :, None]


def _fft2(planes: Any) -> Any:
    """Return the real and imaginary parts of the Fourier transforms of planes ``(..., 64, 64)``.

    The shape is ``(..., 2, 64, 33)``. The transform is orthonormal except for the mean, which is
    divided by 64 to stay in [0, 1].
    """
    library = library_of(planes)
    if not len(planes):
        return planes.reshape(*planes.shape[:-2], 2, SIZE, HALF)  # rfft2 refuses empty input
    spectra = library.fft.rfft2(planes, norm="ortho")
    spectra[..., 0, 0] /= SIZE
    return library.asarray(library.stack([spectra.real, spectra.imag], -3), dtype=library.float32)


def brightness_profiles(grey: Array) -> Array:
    """Return the brightness of columns and rows, ``(n, 340)``, of grey pictures ``(n, 4096)``.

    These are the maximum and four times the mean of each column, then of each row; each at full
    resolution and averaged over 4, 16 and all neighbours.
    """
    library = library_of(grey)
    grey = grey.reshape(-1, SIZE, SIZE)
    profiles = [
        library.amax(grey, 1),
        4 * grey.mean(1),
        library.amax(grey, 2),
        4 * grey.mean(2),
    ]
    pooled = [_average(each, width) for each in profiles for width in POOLED_SIZE]
    profile: Array = library.concatenate(pooled, 1)
    return profile


def _average(profiles: Any, width: int) -> Any:
    """Return the averages of each ``width`` neighbours in profiles ``(n, 64)``."""
    library = library_of(profiles)
    if hasattr(library, "nn"):
        return library.nn.functional.avg_pool1d(profiles[:, None], width)[:, 0]
    return profiles.reshape(-1, SIZE // width, width).mean(2)


def brightness_features(grey: Array) -> Array:
    """Return the overall brightness, ``(n, 3)``, of grey pictures ``(n, 4096)``.

    These are the means of the square roots, the values and the squares of the grey values; together
    they distinguish large dim areas from small bright ones.
    """
    library = library_of(grey)
    means = [library.sqrt(grey).mean(1), grey.mean(1), library.square(grey).mean(1)]
    features: Array = library.stack(means, 1)
    return features


def grey_views(views: Array) -> Array:
    """Return pictures ``(n, size)`` in grey, ``(n, 4096)``, if they are in colour."""
    if views.shape[1] == PIXELS:
        return views
    planes = views.reshape(len(views), 3, PIXELS)
    grey: Array = library_of(views).einsum("ncp,c->np", planes, constant(GREY_WEIGHTS, views))
    return grey
