"""The glance: how loud it is, by how much light there is in the picture and nothing else.

A minute of film has few pictures of a thing at any one place, but many of any amount of light. The
whole network remembers too well how loud each place was; a glance cannot. It is learned after the
rest, and what is held out decides how much it has to say: on films where light tells little of
loudness, nothing.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from frame2sound.brain.brain import Brain
from frame2sound.brain.features import BRIGHTNESS_COUNT
from frame2sound.brain.networks import get_brightness_branch
from frame2sound.brain.spectra import LEVEL_WEIGHT, LogMagnitudes
from frame2sound.training.example_cache import ExampleCache
from frame2sound.training.samplers import sequential_steps
from frame2sound.training.training_data import MAX_SAMPLED_PAIRS

MAX_STEPS, BATCH_SIZE, LEARNING_RATE, WEIGHT_DECAY = 2000, 256, 2e-3, 1e-2
MAX_STEPS_PER_PAIR = 4
"""Steps for each pair, at most: a few seconds of film are learned in fewer."""

INPUT_NOISE = 0.03
"""Standard deviation of what is added to the light while it is learned; its own is about one."""

BRANCH_SHARES = (0.0, 0.5, 1.0)
"""What the glance's say in the level may be."""

MAX_ERROR_RATIO = 0.75
"""It has a say only if that lowers the error of held-out loudness to this share, or less."""

MAX_DECADES = 6.0
"""What is foretold to be louder than this above silence counts as no louder."""


def train_brightness_branch(
    brain: Brain, examples: ExampleCache, held_out_examples: ExampleCache, seed: int
) -> float:
    """Teach a trained brain its glance; return its share in the level.

    What counts is the error of loudness, the root of amplitude. Without anything held out the
    share is 0.

    Raises
    ------
    ValueError
        The brain has no glance.
    """
    glance, target = get_brightness_branch(brain.network), brain.target
    if glance is None or not isinstance(target, LogMagnitudes):
        raise ValueError("the brain has no glance")
    which = examples.pairs.spread_indices(MAX_SAMPLED_PAIRS)
    parts = [
        examples.load_batch(some) for some in np.array_split(which, -(-len(which) // BATCH_SIZE))
    ]
    light = torch.cat([looks[:, -BRIGHTNESS_COUNT:] for looks, _ in parts]).cpu()
    wanted = torch.cat([wanted[:, target.levels] for _, wanted in parts]).cpu()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        head = _fit_branch(light, wanted, brain.recipe.network.brightness_branch)
    share = (
        _choose_share(head, *_predict_held_out(brain, target, held_out_examples))
        if len(held_out_examples)
        else 0.0
    )
    _merge_branch(brain, target, head, share)
    return share


def _predict_held_out(
    brain: Brain, target: LogMagnitudes, held_out_examples: ExampleCache
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Return the light ``(n, 3)`` and levels ``(n, windows_per_frame)``, those given and those wanted."""
    found, memory = [], brain.network.initial_state(1)
    with torch.inference_mode():
        for step in sequential_steps(held_out_examples.pairs, BATCH_SIZE):
            looks, wanted = held_out_examples.load_batch(step.indices[0])
            memory = brain.network.initial_state(1) if step.starts[0] else memory
            given, memory = brain.network(looks[None], memory)
            parts = (
                looks[:, -BRIGHTNESS_COUNT:],
                given[0, :, target.levels],
                wanted[:, target.levels],
            )
            found.append([part.cpu().clone() for part in parts])  # not what else was seen
    light, given, wanted = (torch.cat(part) for part in zip(*found, strict=True))
    return light, given, wanted


def _fit_branch(brightness: torch.Tensor, target_levels: torch.Tensor, width: int) -> nn.Sequential:
    """Learn levels from light."""
    layers = nn.Linear(BRIGHTNESS_COUNT, width), nn.ReLU(), nn.Linear(width, width), nn.ReLU()
    network = nn.Sequential(*layers, nn.Linear(width, target_levels.shape[1]))
    optimiser = torch.optim.AdamW(
        network.parameters(), LEARNING_RATE, weight_decay=WEIGHT_DECAY, fused=True
    )
    for _ in range(min(MAX_STEPS, MAX_STEPS_PER_PAIR * len(brightness))):
        some = torch.randint(len(brightness), (BATCH_SIZE,))
        noisy = brightness[some] + INPUT_NOISE * torch.randn(BATCH_SIZE, BRIGHTNESS_COUNT)
        loss = nn.functional.l1_loss(network(noisy), target_levels[some])
        optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
    return network


def _choose_share(
    head: nn.Sequential,
    brightness: torch.Tensor,
    predicted_levels: torch.Tensor,
    target_levels: torch.Tensor,
) -> float:
    with torch.inference_mode():
        glanced = head(brightness)
        errors = {
            share: float(
                (
                    _loudness(torch.lerp(predicted_levels, glanced, share))
                    - _loudness(target_levels)
                ).norm()
            )
            for share in BRANCH_SHARES
        }
    best = min(errors, key=errors.__getitem__)
    return best if errors[best] < MAX_ERROR_RATIO * errors[0] else 0.0


def _loudness(levels: torch.Tensor) -> torch.Tensor:
    """Return about how loud levels are to the ear: the root of their amplitude."""
    return torch.pow(10.0, (levels / LEVEL_WEIGHT).clamp(0, MAX_DECADES) / 2)


def _merge_branch(brain: Brain, target: LogMagnitudes, head: nn.Sequential, share: float) -> None:
    """Make the glance part of the network, and of its last layer by its share."""
    glance, last, rows = get_brightness_branch(brain.network), brain.network.head, target.levels
    assert glance is not None
    glance.load_state_dict(head[:-1].state_dict())
    width, top = brain.recipe.network.brightness_branch, head[-1]
    assert isinstance(top, nn.Linear)
    with torch.no_grad():
        last.weight[:, -width:] = 0
        last.weight[rows] *= 1 - share
        last.bias[rows] *= 1 - share
        last.weight[rows, -width:] = share * top.weight.to(last.weight)
        last.bias[rows] += share * top.bias.to(last.bias)
