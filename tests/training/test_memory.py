"""Networks with state learn sound that is delayed against the picture."""

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
def delayed_film(library, add_film):
    """Flashes, each with a sound five frames later."""
    gaps = np.random.default_rng(0).integers(DELAY + 2, 16, FRAMES)
    flashes = np.cumsum(gaps)
    flashes = flashes[flashes < FRAMES]
    frames = np.zeros((FRAMES, 64, 64), np.uint8)
    frames[flashes] = 255
    sounds = np.isin(np.arange(FRAMES) - DELAY, flashes)
    sound = TONE * sounds[np.arange(len(TONE)) * 30 // 8000]
    return add_film(library, "echo", FRAMES / 30, frames=frames, sound=sound)


def recipe(network, input_config=None, **training):
    features = {"kind": "eigenframes", "count": 1, "profiles": False}
    table = {
        "name": "echo",
        "clock": {"sample_rate": 8000},
        "input": features | (input_config or {}),
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
    ("network", "input_config", "solves"),
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
def test_a_delay_of_five_frames_needs_state_or_history(
    library, delayed_film, tmp_path, network, input_config, solves
):
    training = {"epochs": 9}
    if "feedback_units" in network:  # first teacher forcing, then its own output
        training = {"epochs": 30, "rate": 1e-2}
    training_recipe = recipe(network, input_config, **training)

    def share_of_mean(seed):
        out = tmp_path / f"{seed}.safetensors"
        provenance = train(library, training_recipe, out, seed=seed, device="cpu").provenance
        return min(provenance["held_out_loss"]) / provenance["held_out_loss_of_mean"]

    if solves:  # training may end in a poor minimum; which seeds do depends on the processor
        assert any(share_of_mean(seed) < 0.3 for seed in range(4))
    else:
        assert share_of_mean(0) > 0.8


@pytest.fixture
def film(library, add_film):
    return add_film(library, "film", seconds=4)


FEEDBACK = RNN | {"cell": "lstm", "memory": [6, 5], "feedback_units": 3}
NETWORKS = [RNN, FEEDBACK, TCN, MLP]
RANDOM = {"noise": 0.1, "overlay": 0.3, "epochs": 3, "batch": 16, "chunk": 4,
          "block_seconds": 1.0, "guard_seconds": 0.1}  # fmt: skip


@pytest.mark.parametrize("network", NETWORKS, ids=str)
def test_a_resumed_training_equals_an_uninterrupted_one(library, film, tmp_path, network):
    training_recipe = recipe(network | {"dropout": 0.2}, {"history": 1, "motion": True}, **RANDOM)
    whole = train(library, training_recipe, tmp_path / "whole.safetensors", device="cpu")
    out = tmp_path / "broken.safetensors"
    for call in (1, 3, 5, 9):
        with pytest.raises(KeyboardInterrupt):
            resume = checkpoint_path(out).exists()
            train(
                library,
                training_recipe,
                out,
                device="cpu",
                resume=resume,
                on_progress=Interrupt(call),
            )
    broken = train(library, training_recipe, out, device="cpu", resume=True)
    assert_same(broken, whole)
    for key in ("loss", "held_out_loss", "best_epoch"):
        assert broken.provenance[key] == whole.provenance[key]


@pytest.mark.parametrize("network", [RNN, FEEDBACK, TCN], ids=str)
def test_recurrent_state_carries_over_between_steps(library, film, network):
    trainer = Trainer(library, recipe(network, **RANDOM | {"rate": 1e-9}), 0, CPU)
    steps = list(trainer.sampler.iterate_epoch(0))
    at = next(n for n, step in enumerate(steps) if not step.starts.all())
    for step in steps[:at]:
        trainer.train_step(step)
    before, states = trainer.recurrent_state, []
    hook = trainer.network.register_forward_pre_hook(lambda _, given: states.append(given[1]))
    trainer.train_step(steps[at])
    hook.remove()
    begins = torch.from_numpy(steps[at].starts)
    fresh = trainer.network.initial_state(len(begins))
    assert any(part.any() for part in before)
    for part, was, new in zip(states[0], before, fresh, strict=True):
        assert torch.equal(part[~begins].float(), was[~begins].float())
        assert torch.equal(part[begins].float(), new[begins])
        assert not part.requires_grad


def test_teacher_forcing_decreases_linearly(library, film):
    trainer = Trainer(library, recipe(FEEDBACK, **RANDOM | {"epochs": 5, "batch": 64}), 0, CPU)
    shares, forcings = [], []
    hook = trainer.network.register_forward_pre_hook(lambda _, given: forcings.extend(given[2:]))
    for number in range(5):
        for step in trainer.sampler.iterate_epoch(number):
            forcings.clear()
            trainer.train_step(step)
            shares.append(forcings[0].use_own_output.float().mean().item())
        trainer.state.epoch, trainer.state.batch = number + 1, 0
    hook.remove()
    steps = len(shares)
    assert shares[0] == 0
    assert shares[-(steps // 2) :] == [1] * (steps // 2)
    expected = np.minimum(1, 2 * np.arange(steps) / steps)
    # Of so few draws a share strays by 0.3 at most; their mean by much less.
    assert np.abs(shares - expected).max() < 0.6
    assert np.mean(shares) == pytest.approx(expected.mean(), abs=0.05)


def test_evaluation_feeds_back_the_networks_own_output(library, film):
    trainer = Trainer(library, recipe(FEEDBACK, **RANDOM), 0, CPU)
    trainer.network.head.weight.data.mul_(50)
    held, total = trainer.training_data.held_out, []
    for run in held.contiguous_runs():
        frames = film.frames[held.frame_windows[run]]
        stream = trainer.live_brain.start_prediction()
        assert (np.diff(held.frame_indices[run]) == 1).all()
        given = stream.predict(frames[:, -1].copy())
        expected_sound = np.stack([film.sound[start:][:267] for start in held.start_samples[run]])
        total.append((given - expected_sound) ** 2)
    expected_sound = np.concatenate([film.sound[start:][:267] for start in held.start_samples])
    expected = np.concatenate(total).mean() / np.square(expected_sound).mean()
    # Factors may have 8 significant bits.
    assert trainer.evaluate() == pytest.approx(expected, rel=1e-2)


def test_a_calibrated_recurrent_brain_is_silent_for_screens(library, delayed_film, tmp_path):
    add_calibration_film(library)
    training_recipe = recipe(RNN, epochs=3, held_out=0.0)
    brain = train(library, training_recipe, tmp_path / "b.safetensors", device="cpu")
    for level in (0, 255):
        sound = brain.predict(np.full((60, 64, 64), level, np.uint8))
        assert np.abs(sound[-1]).max() < 10 ** (-100 / 20)
    assert np.abs(brain.predict(delayed_film.frames[:60].copy())).max() > 10 ** (-60 / 20)


def test_colour_of_a_grey_library_is_refused_with_the_remedy(library, film, tmp_path):
    with pytest.raises(
        TrainingError, match=r"takes colour and .* is grey; pickle its films into"
    ) as raised:
        train(library, recipe(MLP, {"colour": True}), tmp_path / "b.safetensors", device="cpu")
    assert "`colour=True`, or set input.colour=false" in str(raised.value)


def trained(library, training_recipe, device):
    """Return losses and weights after five steps."""
    trainer = Trainer(library, training_recipe, 0, torch.device(device))
    trainer.network.train()
    for step in list(trainer.sampler.iterate_epoch(0))[:5]:
        trainer.train_step(step)
    losses = trainer.state.loss_sum, trainer.evaluate()
    return losses, {name: tensor.cpu() for name, tensor in trainer._copy_weights().items()}


CUDA = pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA here")
MATRIX_UNITS = pytest.mark.skipif(not has_matrix_units(), reason="no matrix units here")


@pytest.mark.parametrize("network", NETWORKS, ids=str)
@pytest.mark.parametrize(
    "device", [pytest.param("cpu", marks=MATRIX_UNITS), pytest.param("cuda", marks=CUDA)]
)
def test_mixed_precision_learns_what_single_precision_does(
    library, film, monkeypatch, network, device
):
    training_recipe = recipe(network, {"history": 1}, **RANDOM | {"noise": 0.0, "rate": 1e-3})
    fast_losses, fast = trained(library, training_recipe, device)
    monkeypatch.setattr(optimiser, "has_matrix_units", lambda: False)
    losses, exact = trained(library, training_recipe, "cpu")
    # Factors of 8 bits; a step moves a weight by the rate at most, whichever way.
    assert fast_losses == pytest.approx(losses, rel=0.01)
    for name, weights in exact.items():
        assert torch.isfinite(fast[name]).all()
        torch.testing.assert_close(
            fast[name], weights, rtol=0, atol=5e-3 if "features" not in name else 0.05
        )
    assert fast["head.weight"].dtype == torch.float32
