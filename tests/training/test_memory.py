"""What only memory can tell is learned by those who have one."""

import numpy as np
import pytest
import torch

from frame2sound.brain.recipe import parse_recipe
from frame2sound.errors import TrainingError
from frame2sound.library.calibration import add_calibration_film
from frame2sound.training import optimiser
from frame2sound.training.checkpoint import checkpoint_path
from frame2sound.training.loop import train
from frame2sound.training.optimiser import has_matrix_units
from frame2sound.training.trainer import Trainer
from tests.training.interrupting import Interrupt, assert_same

CPU = torch.device("cpu")
DELAY = 5
FRAMES = 600
TONE = 0.3 * np.sin(2 * np.pi * 300 * np.arange(FRAMES * 800 // 3) / 8000)
"""Ten whole periods a frame."""


@pytest.fixture
def echoing(library, add_film):
    """Flashes now and then, each heard five frames later."""
    gaps = np.random.default_rng(0).integers(DELAY + 2, 16, FRAMES)
    flashes = np.cumsum(gaps)
    flashes = flashes[flashes < FRAMES]
    frames = np.zeros((FRAMES, 64, 64), np.uint8)
    frames[flashes] = 255
    heard = np.isin(np.arange(FRAMES) - DELAY, flashes)
    sound = TONE * heard[np.arange(len(TONE)) * 30 // 8000]
    return add_film(library, "echo", FRAMES / 30, frames=frames, sound=sound)


def recipe(network, seen=None, **training):
    eyes = {"kind": "eigenframes", "count": 1, "profiles": False}
    table = {
        "name": "echo",
        "clock": {"sample_rate": 8000},
        "input": eyes | (seen or {}),
        "network": {"hidden": [8]} | network,
        "training": {
            "epochs": 12,
            "rate": 2e-2,
            "chunk": 8,
            "batch": 64,
            "held_out": 0.2,
            "block_seconds": 2,
        }
        | training,
    }
    return parse_recipe(table)


RNN = {"kind": "rnn", "memory": [16]}
TCN = {"kind": "tcn", "channels": 8, "kernel": 3, "layers": 2}
MLP = {"kind": "mlp", "hidden": [16]}


@pytest.mark.parametrize(
    ("network", "seen", "solves"),
    [
        (MLP, {}, False),
        (MLP, {"history": DELAY - 1}, False),
        (MLP, {"history": DELAY}, True),
        (RNN, {}, True),
        (RNN | {"cell": "lstm"}, {}, True),
        (RNN | {"feedback_units": 4}, {}, True),
        (TCN, {}, True),
        (TCN | {"layers": 1}, {}, False),  # looks back two frames
    ],
    ids=str,
)
def test_what_is_heard_five_frames_later_takes_a_memory(
    library, echoing, tmp_path, network, seen, solves
):
    epochs = 40 if "hears" in network else 9  # it first learns to hear the truth, then itself
    asked = recipe(network, seen, epochs=epochs)
    brain = train(library, asked, tmp_path / "b.safetensors", device="cpu")
    said = brain.provenance
    best, mean = min(said["held_out_loss"]), said["held_out_loss_of_mean"]
    if solves:
        assert best < 0.3 * mean
    else:
        assert best > 0.8 * mean


@pytest.fixture
def film(library, add_film):
    return add_film(library, "film", seconds=4)


HEARING = RNN | {"cell": "lstm", "memory": [6, 5], "feedback_units": 3}
REMEMBERING = [RNN, HEARING, TCN, MLP]
lively = {"noise": 0.1, "overlay": 0.3, "epochs": 3, "batch": 16, "chunk": 4,
          "block_seconds": 1.0, "guard_seconds": 0.1}  # fmt: skip


@pytest.mark.parametrize("network", REMEMBERING, ids=str)
def test_a_resumed_training_equals_an_uninterrupted_one(library, film, tmp_path, network):
    asked = recipe(network | {"dropout": 0.2}, {"history": 1, "motion": True}, **lively)
    whole = train(library, asked, tmp_path / "whole.safetensors", device="cpu")
    out = tmp_path / "broken.safetensors"
    for call in (1, 3, 5, 9):
        with pytest.raises(KeyboardInterrupt):
            resume = checkpoint_path(out).exists()
            train(library, asked, out, device="cpu", resume=resume, on_progress=Interrupt(call))
    broken = train(library, asked, out, device="cpu", resume=True)
    assert_same(broken, whole)
    for key in ("loss", "held_out_loss", "best_epoch"):
        assert broken.provenance[key] == whole.provenance[key]


@pytest.mark.parametrize("network", [RNN, HEARING, TCN], ids=str)
def test_memory_goes_on_from_step_to_step(library, film, network):
    trainer = Trainer(library, recipe(network, **lively | {"rate": 1e-9}), 0, CPU)
    steps = list(trainer.sampler.iterate_epoch(0))
    at = next(n for n, step in enumerate(steps) if not step.starts.all())
    for step in steps[:at]:
        trainer.train_step(step)
    before, entered = trainer.recurrent_state, []
    hook = trainer.network.register_forward_pre_hook(lambda _, given: entered.append(given[1]))
    trainer.train_step(steps[at])
    hook.remove()
    begins = torch.from_numpy(steps[at].starts)
    fresh = trainer.network.initial_state(len(begins))
    assert any(part.any() for part in before)
    for part, was, new in zip(entered[0], before, fresh, strict=True):
        assert torch.equal(part[~begins].float(), was[~begins].float())
        assert torch.equal(part[begins].float(), new[begins])
        assert not part.requires_grad


def test_it_hears_its_own_output_more_and_more(library, film):
    trainer = Trainer(library, recipe(HEARING, **lively | {"epochs": 5, "batch": 64}), 0, CPU)
    shares, told = [], []
    hook = trainer.network.register_forward_pre_hook(lambda _, given: told.extend(given[2:]))
    for number in range(5):
        for step in trainer.sampler.iterate_epoch(number):
            told.clear()
            trainer.train_step(step)
            shares.append(told[0].own.float().mean().item())
        trainer.state.epoch, trainer.state.batch = number + 1, 0
    hook.remove()
    steps = len(shares)
    assert shares[0] == 0
    assert shares[-(steps // 2) :] == [1] * (steps // 2)
    expected = np.minimum(1, 2 * np.arange(steps) / steps)
    # Of so few draws a share strays by 0.3 at most; their mean by much less.
    assert np.abs(shares - expected).max() < 0.6
    assert np.mean(shares) == pytest.approx(expected.mean(), abs=0.05)


def test_evaluation_hears_only_what_the_network_gives(library, film):
    trainer = Trainer(library, recipe(HEARING, **lively), 0, CPU)
    trainer.network.head.weight.data.mul_(50)
    held, total = trainer.training_data.held_out, []
    for run in held.contiguous_runs():
        frames = film.frames[held.frame_windows[run]]
        watching = trainer.live_brain.start_prediction()
        assert (np.diff(held.frame_indices[run]) == 1).all()
        given = watching.predict(frames[:, -1].copy())
        wanted = np.stack([film.sound[start:][:267] for start in held.start_samples[run]])
        total.append((given - wanted) ** 2)
    wanted = np.concatenate([film.sound[start:][:267] for start in held.start_samples])
    expected = np.concatenate(total).mean() / np.square(wanted).mean()
    # Factors may have 8 bits while it is trained.
    assert trainer.evaluate() == pytest.approx(expected, rel=1e-2)


def test_a_calibrated_brain_that_remembers_is_silent_on_screens(library, echoing, tmp_path):
    add_calibration_film(library)
    asked = recipe(RNN, epochs=3, held_out=0.0)
    brain = train(library, asked, tmp_path / "b.safetensors", device="cpu")
    for level in (0, 255):
        sound = brain.predict(np.full((60, 64, 64), level, np.uint8))
        assert np.abs(sound[-1]).max() < 10 ** (-100 / 20)
    assert np.abs(brain.predict(echoing.frames[:60].copy())).max() > 10 ** (-60 / 20)


def test_colour_of_a_grey_library_is_refused_with_the_remedy(library, film, tmp_path):
    with pytest.raises(
        TrainingError, match=r"sees colour and .* is grey; pickle its films into"
    ) as no:
        train(library, recipe(MLP, {"colour": True}), tmp_path / "b.safetensors", device="cpu")
    assert "--colour, or use --set input.colour=false" in str(no.value)


def trained(library, asked, device):
    """Weights on the processor after five steps."""
    trainer = Trainer(library, asked, 0, torch.device(device))
    trainer.network.train()
    for step in list(trainer.sampler.iterate_epoch(0))[:5]:
        trainer.train_step(step)
    losses = trainer.state.loss_sum, trainer.evaluate()
    return losses, {name: tensor.cpu() for name, tensor in trainer._copy_weights().items()}


CUDA = pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA here")
MATRIX_UNITS = pytest.mark.skipif(not has_matrix_units(), reason="no matrix units here")


@pytest.mark.parametrize("network", REMEMBERING, ids=str)
@pytest.mark.parametrize(
    "device", [pytest.param("cpu", marks=MATRIX_UNITS), pytest.param("cuda", marks=CUDA)]
)
def test_mixed_precision_learns_what_single_precision_does(
    library, film, monkeypatch, network, device
):
    asked = recipe(network, {"history": 1}, **lively | {"noise": 0.0, "rate": 1e-3})
    fast_losses, fast = trained(library, asked, device)
    monkeypatch.setattr(optimiser, "has_matrix_units", lambda: False)
    losses, exact = trained(library, asked, "cpu")
    # Factors of 8 bits; a step moves a weight by the rate at most, whichever way.
    assert fast_losses == pytest.approx(losses, rel=0.01)
    for name, weights in exact.items():
        assert torch.isfinite(fast[name]).all()
        torch.testing.assert_close(
            fast[name], weights, rtol=0, atol=5e-3 if "eyes" not in name else 0.05
        )
    assert fast["top.weight"].dtype == torch.float32
