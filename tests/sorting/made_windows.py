"""Windows that are drawn from a generator, with known structure."""

from __future__ import annotations

import numpy as np

from frame2sound.sorting.labelled_windows import LabelledWindows
from frame2sound.sorting.window_features import COEFFICIENTS, STEPS, WindowFeatures


def made_windows(
    film_labels: list[int],
    *,
    per_film: int = 12,
    of_label: float = 0.0,
    of_film: float = 0.0,
    groups: list[int] | None = None,
    seed: int = 0,
) -> LabelledWindows:
    """Windows of noise, with an offset that films of a label share, and one of each film's own."""
    random = np.random.default_rng(seed)
    labels = np.array(film_labels)
    offsets = of_label * random.normal(size=(labels.max() + 1, COEFFICIENTS))[labels]
    offsets += of_film * random.normal(size=(len(labels), COEFFICIENTS))
    noise = random.normal(size=(len(labels), per_film, STEPS, COEFFICIENTS))
    sequences = (noise + offsets[:, None, None]).reshape(-1, STEPS, COEFFICIENTS)
    return LabelledWindows(
        WindowFeatures(sequences.astype(np.float32)),
        np.repeat(np.arange(len(labels)), per_film),
        labels,
        np.arange(len(labels)) if groups is None else np.array(groups),
        int(labels.max()) + 1,
    )
