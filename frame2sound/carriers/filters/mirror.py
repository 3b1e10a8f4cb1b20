"""Mirror a picture left to right: the sound backwards."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from frame2sound.carriers.filters.cells import Cells, Filtered, spans
from frame2sound.carriers.page_writer import total_columns
from frame2sound.carriers.parameters import Kind
from frame2sound.carriers.spectrum_points import Spectra
from frame2sound.sound.stft import InverseStft, Stft


def mirror(cells: Cells) -> Filtered:
    """Return the columns in reverse, with conjugate phases: exactly the sound reversed.

    A spectrum whose phase is referred to its window's centre becomes its conjugate if time is
    reversed. The centre of a window lands on that of another if the last sample lies a whole
    number of hops after the first; so the sound is made that long, and begins up to a hop later.
    """
    parameters = cells.parameters
    last = -(-(parameters.samples - 1) // parameters.hop)
    mirrored = replace(parameters, samples=last * parameters.hop + 1)

    def blocks() -> Iterator[Spectra]:
        for first, end in spans(last + 1):
            yield np.conj(cells.read(last - end + 1, last - first + 1)[:, ::-1])
        after = total_columns(mirrored) - last - 1
        yield np.conj(_before_the_first(cells, after))

    return Filtered(mirrored, blocks())


def _before_the_first(cells: Cells, count: int) -> Spectra:
    """Return the columns -1, -2 and so on, which no picture shows but which hear its beginning."""
    parameters = cells.parameters
    if parameters.kind is Kind.MAGNITUDE:
        return np.repeat(cells.read(0, 1), count, axis=1)
    stft = Stft(parameters.n_fft, parameters.hop)
    beginning = np.zeros((parameters.channels, 2 * stft.overlap_factor, stft.bins), np.complex64)
    beginning[..., : parameters.rows] = cells.read(0, beginning.shape[1])
    centres = -parameters.hop * np.arange(1, count + 1)
    spectra = np.stack(
        [stft.analyse(InverseStft(stft).process(channel), centres) for channel in beginning]
    )
    return spectra[..., : parameters.rows]
