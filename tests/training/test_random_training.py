"""What is random in training - dropout, noise, overlays - and what is not."""

import msgspec
import numpy as np
import pytest
import torch

from frame2sound.brain.config import Eigenframes, Mlp
from frame2sound.brain.frame_encoding import encode_frames
from frame2sound.training.checkpoint import checkpoint_path
from frame2sound.training.loop import train
from frame2sound.training.trainer import Trainer
from tests.training.interrupting import Interrupt, assert_same

CPU = torch.device("cpu")
EVERY = {"noise": 0.3, "overlay": 0.4, "block_seconds": 1.0, "guard_seconds": 0.1}


@pytest.fixture
def film(library, add_film):
    return add_film(library, "film", seconds=4)


def randomised(recipe, dropout=0.3):
    """The recipe, with frame features, a norm and dropout."""
    network = Mlp((16,), normalise=True, dropout=dropout)
    return msgspec.structs.replace(recipe, network=network, input=Eigenframes(count=8))


def test_a_resumed_training_equals_an_uninterrupted_one(library, film, small, tmp_path):
    recipe = randomised(small(**EVERY))
    whole = train(library, recipe, tmp_path / "whole.safetensors", device="cpu")
    out = tmp_path / "broken.safetensors"
    for call in (1, 2, 3, 3):
        with pytest.raises(KeyboardInterrupt):
            resume = checkpoint_path(out).exists()
            train(library, recipe, out, device="cpu", resume=resume, on_progress=Interrupt(call))
        torch.rand(7)  # other draws have no influence
    broken = train(library, recipe, out, device="cpu", resume=True)
    assert_same(broken, whole)
    for key in ("loss", "held_out_loss", "best_epoch"):
        assert broken.provenance[key] == whole.provenance[key]


def first_step(trainer):
    return next(iter(trainer.sampler.iterate_epoch(0)))


@pytest.mark.parametrize("one", ["dropout", "noise", "overlay"])
def test_each_of_them_changes_the_weights(library, film, small, one):
    def stepped(**training):
        dropout = training.pop("dropout", 0.0)
        trainer = Trainer(library, randomised(small(**training), dropout), 0, CPU)
        trainer.network.train()
        trainer.train_step(first_step(trainer))
        return trainer._copy_weights()

    plain, again, other = stepped(), stepped(), stepped(**{one: 0.4})
    assert all(torch.equal(plain[name], again[name]) for name in plain)
    assert any((plain[name] != other[name]).any() for name in plain)


def test_a_step_leaves_the_generator_alone(library, film, small):
    trainer = Trainer(library, randomised(small(**EVERY)), 0, CPU)
    before = torch.random.get_rng_state()
    trainer.network.train()
    trainer.train_step(first_step(trainer))
    assert torch.equal(torch.random.get_rng_state(), before)


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
@pytest.mark.parametrize("with_features", [False, True])
def test_overlays_take_the_lighter_pixels_and_add_the_sounds(
    library, film, small, share, with_features
):
    recipe = small(overlay=share, held_out=0.0, batch=100)
    trainer = Trainer(library, randomised(recipe) if with_features else recipe, 0, CPU)
    pairs, mixed, total = trainer.training_data.training, 0, 0
    for step in trainer.sampler.iterate_epoch(0):
        indices, overlay = step.indices[:, 0], step.overlay_indices[:, 0]
        features, targets = trainer.examples.load_batch(indices, overlay)
        frames, excerpts = pairs.load(indices)
        has_overlay = overlay >= 0
        assert set(overlay[has_overlay]) <= set(indices)
        others = pairs.load(overlay[has_overlay])
        frames[has_overlay] = np.maximum(frames[has_overlay], others[0])
        excerpts[has_overlay] += others[1]
        expected = trainer.network.extract_features(
            encode_frames(torch.from_numpy(frames), trainer.recipe.input)
        )
        torch.testing.assert_close(features, expected)
        torch.testing.assert_close(targets, trainer.target.encode(torch.from_numpy(excerpts)))
        mixed, total = mixed + has_overlay.sum(), total + len(indices)
    # A binomial's deviation is at most 0.046 of 119; four times that.
    assert abs(mixed / total - share) <= 0.19


def test_without_overlays_examples_do_not_change(library, film, small):
    trainer = Trainer(library, small(), 0, CPU)
    for step in trainer.sampler.iterate_epoch(0):
        assert (step.overlay_indices == -1).all()
        features, targets = trainer.examples.load_batch(
            step.indices[:, 0], step.overlay_indices[:, 0]
        )
        frames, excerpts = trainer.training_data.training.load(step.indices[:, 0])
        assert torch.equal(features, encode_frames(torch.from_numpy(frames), trainer.recipe.input))
        assert torch.equal(targets, trainer.target.encode(torch.from_numpy(excerpts)))


def first_layer_input(trainer, step):
    """Return the input of the first trained layer."""
    inputs = []
    first = trainer.network.backbone.layers[0]
    hook = first.register_forward_pre_hook(lambda _, given: inputs.append(given[0]))
    trainer.train_step(step)
    hook.remove()
    return inputs[0][:, 0]


@pytest.mark.parametrize("with_features", [False, True])
def test_noise_is_added_to_the_first_trained_layer(library, film, small, with_features):
    recipe = small(noise=0.3, batch=1000)
    trainer = Trainer(library, randomised(recipe) if with_features else recipe, 0, CPU)
    trainer.network.train()
    noise = []
    for step in trainer.sampler.iterate_epoch(0):
        features = trainer.examples.load_batch(step.indices[:, 0])[0]
        noise.append(first_layer_input(trainer, step) - features)
    # The deviation of 100 * 348 draws or more strays by 0.4 %; six times that.
    noise = torch.cat(noise)
    assert noise.std().item() == pytest.approx(0.3, rel=0.025)
    assert abs(noise.mean().item()) < 0.01


def test_evaluation_is_deterministic(library, film, small):
    trainer = Trainer(library, randomised(small(**EVERY)), 0, CPU)
    first = trainer.evaluate()
    torch.rand(5)
    assert trainer.evaluate() == first
    calm = {"block_seconds": 1.0, "guard_seconds": 0.1}
    plain = Trainer(library, randomised(small(**calm), 0.0), 0, CPU)
    with torch.no_grad():
        for own, other in zip(
            plain.network.parameters(), trainer.network.parameters(), strict=True
        ):
            own.copy_(other)
    assert plain.evaluate() == pytest.approx(first, rel=1e-6)


def test_prediction_is_deterministic(library, film, small, tmp_path):
    brain = train(library, randomised(small(**EVERY)), tmp_path / "b.safetensors", device="cpu")
    assert not brain.network.training
    frames = np.array(film.frames[:4])
    np.testing.assert_array_equal(brain.predict(frames), brain.predict(frames))


def test_training_does_not_change_frame_features(library, film, small, tmp_path):
    recipe = randomised(small(**EVERY))
    before = Trainer(library, recipe, 0, CPU)._copy_weights()
    brain = train(library, recipe, tmp_path / "b.safetensors", device="cpu")
    after = brain.network.state_dict()
    for part in ("weight", "bias", "profiles.gain", "profiles.mean"):
        name = f"features.still.{part}"
        assert torch.equal(after[name], before[name])
        assert after[name].any()
