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
from frame2sound.brain.eyes import LIGHT
from frame2sound.brain.log_spectra import LEVEL_WEIGHT, LogMagnitudes
from frame2sound.brain.networks import glance_of
from frame2sound.training.lessons import Lessons
from frame2sound.training.material import MOST_SEEN
from frame2sound.training.plans import in_order

STEPS, BATCH, RATE, WEIGHT_DECAY = 2000, 256, 2e-3, 1e-2
ROUNDS = 4
"""Steps for each pair, at most: a few seconds of film are learned in fewer."""

NOISE = 0.03
"""Standard deviation of what is added to the light while it is learned; its own is about one."""

SHARES = (0.0, 0.5, 1.0)
"""What the glance's say in the level may be."""

NOTABLE = 0.75
"""It has a say only if that lowers the error of held-out loudness to this share, or less."""

MOST_DECADES = 6.0
"""What is foretold to be louder than this above silence counts as no louder."""


def teach_glance(brain: Brain, lessons: Lessons, held_out: Lessons, seed: int) -> float:
    """Teach a trained brain its glance; return its share in the level.

    What counts is the error of loudness, the root of amplitude. Without anything held out the
    share is 0.

    Raises
    ------
    ValueError
        The brain has no glance.
    """
    glance, target = glance_of(brain.network), brain.target
    if glance is None or not isinstance(target, LogMagnitudes):
        raise ValueError("the brain has no glance")
    which = lessons.pairs.spread(MOST_SEEN)
    parts = [lessons.take(some) for some in np.array_split(which, -(-len(which) // BATCH))]
    light = torch.cat([looks[:, -LIGHT:] for looks, _ in parts]).cpu()
    wanted = torch.cat([wanted[:, target.levels] for _, wanted in parts]).cpu()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        head = _fit(light, wanted, brain.recipe.network.glance)
    share = _share(head, *_played(brain, target, held_out)) if len(held_out) else 0.0
    _join(brain, target, head, share)
    return share


def _played(
    brain: Brain, target: LogMagnitudes, held_out: Lessons
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Return the light ``(n, 3)`` and levels ``(n, a_frame)``, those given and those wanted."""
    found, memory = [], brain.network.fresh(1)
    with torch.inference_mode():
        for step in in_order(held_out.pairs, BATCH):
            looks, wanted = held_out.take(step.which[0])
            memory = brain.network.fresh(1) if step.begins[0] else memory
            given, memory = brain.network(looks[None], memory)
            parts = looks[:, -LIGHT:], given[0, :, target.levels], wanted[:, target.levels]
            found.append([part.cpu().clone() for part in parts])  # not what else was seen
    light, given, wanted = (torch.cat(part) for part in zip(*found, strict=True))
    return light, given, wanted


def _fit(light: torch.Tensor, wanted: torch.Tensor, width: int) -> nn.Sequential:
    """Learn levels from light."""
    layers = nn.Linear(LIGHT, width), nn.ReLU(), nn.Linear(width, width), nn.ReLU()
    network = nn.Sequential(*layers, nn.Linear(width, wanted.shape[1]))
    optimiser = torch.optim.AdamW(network.parameters(), RATE, weight_decay=WEIGHT_DECAY, fused=True)
    for _ in range(min(STEPS, ROUNDS * len(light))):
        some = torch.randint(len(light), (BATCH,))
        noisy = light[some] + NOISE * torch.randn(BATCH, LIGHT)
        loss = nn.functional.l1_loss(network(noisy), wanted[some])
        optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
    return network


def _share(
    head: nn.Sequential, light: torch.Tensor, given: torch.Tensor, wanted: torch.Tensor
) -> float:
    with torch.inference_mode():
        glanced = head(light)
        errors = {
            share: float((_loudness(torch.lerp(given, glanced, share)) - _loudness(wanted)).norm())
            for share in SHARES
        }
    best = min(errors, key=errors.__getitem__)
    return best if errors[best] < NOTABLE * errors[0] else 0.0


def _loudness(levels: torch.Tensor) -> torch.Tensor:
    """Return about how loud levels are to the ear: the root of their amplitude."""
    return torch.pow(10.0, (levels / LEVEL_WEIGHT).clamp(0, MOST_DECADES) / 2)


def _join(brain: Brain, target: LogMagnitudes, head: nn.Sequential, share: float) -> None:
    """Make the glance part of the network, and of its last layer by its share."""
    glance, last, rows = glance_of(brain.network), brain.network.top, target.levels
    assert glance is not None
    glance.load_state_dict(head[:-1].state_dict())
    width, top = brain.recipe.network.glance, head[-1]
    assert isinstance(top, nn.Linear)
    with torch.no_grad():
        last.weight[:, -width:] = 0
        last.weight[rows] *= 1 - share
        last.bias[rows] *= 1 - share
        last.weight[rows, -width:] = share * top.weight.to(last.weight)
        last.bias[rows] += share * top.bias.to(last.bias)
