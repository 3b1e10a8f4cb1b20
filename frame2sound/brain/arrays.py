"""What NumPy and PyTorch do alike, so that one function serves training and rendering.

Training, and accelerators, compute with PyTorch. Rendering on a processor computes with NumPy,
which is imported in a tenth of the time. Functions that both need are written once, with the names
that the two libraries share; here is what differs.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import torch

Array = TypeVar("Array", "NDArray[Any]", "torch.Tensor")
"""An array of NumPy, or a tensor of PyTorch."""


def library_of(array: Array) -> Any:
    """Return the module that an array is of: ``numpy`` or ``torch``."""
    return np if isinstance(array, np.ndarray) else import_module("torch")


def constant(values: NDArray[Any] | tuple[float, ...], like: Array) -> Array:
    """Return values as an array of the library, type and device of another."""
    if isinstance(like, np.ndarray):
        return np.asarray(values, like.dtype)
    tensor: Array = library_of(like).as_tensor(values, dtype=like.dtype, device=like.device)
    return tensor


def rfft(waveforms: Array) -> Array:
    """Return the Fourier transforms of real rows, of the precision of the rows."""
    if isinstance(waveforms, np.ndarray):
        # Without a norm, NumPy 2 transforms in double precision, as NumPy 1 always does.
        mean = np.fft.rfft(waveforms, norm="forward")
        precision = np.result_type(waveforms.dtype, np.complex64)
        total: NDArray[Any] = mean.astype(precision, copy=False) * waveforms.shape[-1]
        return total
    transformed: Array = library_of(waveforms).fft.rfft(waveforms)
    return transformed


def to_numpy(array: Array) -> NDArray[Any]:
    """Return an array as one of NumPy; that of a processor is not copied."""
    if isinstance(array, np.ndarray):
        return array
    values: NDArray[Any] = array.detach().cpu().numpy()
    return values
