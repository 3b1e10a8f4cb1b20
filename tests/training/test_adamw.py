"""The optimiser for processors does what PyTorch's own does."""

import copy
import subprocess
import sys

import pytest
import torch
from torch import nn

from frame2sound.training.adamw import FusedAdamW

BETAS, DECAY = (0.8, 0.99), 0.03


def take_steps(network, optimiser, count, seed):
    random = torch.Generator().manual_seed(seed)
    for number in range(count):
        optimiser.param_groups[0]["lr"] = 0.01 / (1 + number)
        optimiser.zero_grad()
        network(torch.randn(7, 5, generator=random)).square().mean().backward()
        optimiser.step()


@pytest.fixture
def networks():
    """Return two equal networks of which one layer has no gradient."""
    torch.manual_seed(0)
    network = nn.Sequential(nn.Linear(5, 6), nn.Tanh(), nn.Linear(6, 3))
    network.register_module("unused", None)
    network.unused = nn.Linear(2, 2)
    network.forward = lambda values: network[2](network[1](network[0](values)))
    twin = copy.deepcopy(network)
    twin.forward = lambda values: twin[2](twin[1](twin[0](values)))
    return network, twin


def optimisers(network, twin):
    return FusedAdamW(network.parameters(), 0.01, BETAS, DECAY), torch.optim.AdamW(
        twin.parameters(), lr=0.01, betas=BETAS, weight_decay=DECAY, fused=True
    )


def assert_equal(network, twin):
    for one, other in zip(network.parameters(), twin.parameters(), strict=True):
        assert torch.equal(one, other)


def test_steps_equal_those_of_pytorch_to_the_bit(networks):
    ours, theirs = optimisers(*networks)
    before = [part.clone() for part in networks[0][0].parameters()]
    take_steps(networks[0], ours, 9, 1)
    take_steps(networks[1], theirs, 9, 1)
    assert_equal(*networks)
    assert not torch.equal(before[0], networks[0][0].weight)


def test_either_goes_on_from_the_state_of_the_other(networks):
    ours, theirs = optimisers(*networks)
    take_steps(networks[0], ours, 4, 1)
    take_steps(networks[1], theirs, 4, 1)
    new_ours, new_theirs = optimisers(*networks)
    new_ours.load_state_dict(theirs.state_dict())
    new_theirs.load_state_dict(new_theirs.state_dict() | ours.state_dict())
    take_steps(networks[0], new_ours, 3, 2)
    take_steps(networks[1], new_theirs, 3, 2)
    assert_equal(*networks)


def test_the_state_of_other_parameters_is_refused(networks):
    ours, _ = optimisers(*networks)
    take_steps(networks[0], ours, 1, 1)
    other = FusedAdamW([torch.zeros(5, 4)], 0.01)
    with pytest.raises(ValueError, match="other parameters"):
        other.load_state_dict(ours.state_dict())


def test_steps_do_not_import_the_compiler():
    code = (
        "import sys, torch; from frame2sound.training.adamw import FusedAdamW\n"
        "weights = torch.ones(3, requires_grad=True)\n"
        "optimiser = FusedAdamW([weights], 0.1)\n"
        "weights.sum().backward(); optimiser.step(); optimiser.zero_grad()\n"
        "print('torch._dynamo' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False"]
