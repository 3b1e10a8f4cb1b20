"""Train a network on scaled windows, and ask it for probabilities."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from frame2sound.sorting.classifier import Arrays, Classifier, ClassifierKind, check_shapes
from frame2sound.sorting.labelled_windows import LabelledWindows
from frame2sound.sorting.scaling import Scaling
from frame2sound.sorting.window_features import WindowFeatures, join_features

BATCH_WINDOWS = 64
"""Windows in a step of training."""

EPOCHS, MIN_STEPS, MAX_STEPS = 40, 40, 200
"""How often each window is seen on average, within these numbers of steps."""

LEARNING_RATE, WEIGHT_DECAY, SMOOTHING = 3e-3, 0.03, 0.05
"""Of AdamW, at the first step, from where it falls to 0; and of the labels."""

_ASKED_WINDOWS = 1024
"""Windows that a network is asked for at once."""

Inputs = Callable[[WindowFeatures], NDArray[np.float32]]
"""What of the features a network sees, (n, ..., features)."""

Build = Callable[[int], nn.Module]
"""From the number of labels to a network that gives logits, (n, labels)."""


@dataclass(frozen=True, eq=False)
class NetworkClassifier:
    """A network with the scaling of what it sees."""

    inputs: Inputs
    scaling: Scaling
    network: nn.Module

    def probabilities(self, features: WindowFeatures) -> NDArray[np.float64]:
        """Return the probability of each label for each window, (n, labels)."""
        scaled = torch.from_numpy(self.scaling.apply(self.inputs(features)))
        self.network.eval()
        with torch.inference_mode():
            parts = [self.network(part) for part in torch.split(scaled, _ASKED_WINDOWS)]
        logits = torch.cat(parts).double()
        found: NDArray[np.float64] = torch.softmax(logits, dim=1).numpy()
        return found

    def arrays(self) -> Arrays:
        """Return the arrays to store."""
        weights = {name: each.numpy() for name, each in self.network.state_dict().items()}
        return {"mean": self.scaling.mean, "deviation": self.scaling.deviation, **weights}


def network_kind(name: str, inputs: Inputs, build: Build) -> ClassifierKind:
    """Return the kind of classifier that trains such networks."""
    return ClassifierKind(name, partial(_fit, inputs, build), partial(_load, inputs, build))


def _fit(inputs: Inputs, build: Build, windows: LabelledWindows, seed: int) -> Classifier:
    weights = windows.balanced_weights()
    values = inputs(windows.features)
    scaling = Scaling.fit(values, weights)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = build(windows.label_count)
        _train(
            network,
            torch.from_numpy(scaling.apply(values)),
            torch.from_numpy(windows.labels),
            torch.from_numpy(weights),
        )
    return NetworkClassifier(inputs, scaling, network)


def _train(network: nn.Module, inputs: Tensor, labels: Tensor, weights: Tensor) -> None:
    """Train a network; windows are drawn by their weights, so that labels come equally often."""
    steps = min(max(EPOCHS * len(labels) // BATCH_WINDOWS, MIN_STEPS), MAX_STEPS)
    optimiser = torch.optim.AdamW(
        network.parameters(), LEARNING_RATE, weight_decay=WEIGHT_DECAY, foreach=False
    )
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps)
    loss = nn.CrossEntropyLoss(label_smoothing=SMOOTHING)
    network.train()
    for _ in range(steps):
        batch = torch.multinomial(weights, BATCH_WINDOWS, replacement=True)
        optimiser.zero_grad()
        loss(network(inputs[batch]), labels[batch]).backward()
        optimiser.step()
        schedule.step()


def _load(inputs: Inputs, build: Build, arrays: Arrays, label_count: int) -> Classifier:
    network = build(label_count)
    state = network.state_dict()
    features = inputs(join_features([])).shape[-1]
    expected = {"mean": (features,), "deviation": (features,)}
    check_shapes(arrays, expected | {name: tuple(each.shape) for name, each in state.items()})
    network.load_state_dict({name: torch.from_numpy(arrays[name].copy()) for name in state})
    return NetworkClassifier(inputs, Scaling(arrays["mean"], arrays["deviation"]), network)
