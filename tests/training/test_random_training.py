"""What a training leaves to chance - dropout, noise, double exposure - and what it does not."""

import msgspec
import numpy as np
import pytest
import torch

from frame2sound.brain.config import Eigenframes, Mlp
from frame2sound.brain.features import encode_frames
from frame2sound.training.checkpoint import checkpoint_path
from frame2sound.training.loop import train
from frame2sound.training.trainer import Trainer
from tests.training.interrupting import Interrupt, assert_same

CPU = torch.device("cpu")
EVERY = {"noise": 0.3, "overlay": 0.4, "block_seconds": 1.0, "guard_seconds": 0.1}


@pytest.fixture
def film(library, add_film):
    return add_film(library, "film", seconds=4)


def lively(recipe, dropout=0.3):
    """The recipe, with eyes, a norm and dropout."""
    network = Mlp((16,), normalise=True, dropout=dropout)
    return msgspec.structs.replace(recipe, network=network, input=Eigenframes(count=8))


def test_a_resumed_training_equals_an_uninterrupted_one(library, film, small, tmp_path):
    recipe = lively(small(**EVERY))
    whole = train(library, recipe, tmp_path / "whole.safetensors", device="cpu")
    out = tmp_path / "broken.safetensors"
    for call in (1, 2, 3, 3):
        with pytest.raises(KeyboardInterrupt):
            resume = checkpoint_path(out).exists()
            train(library, recipe, out, device="cpu", resume=resume, on_progress=Interrupt(call))
        torch.rand(7)  # what others draw is of no influence
    broken = train(library, recipe, out, device="cpu", resume=True)
    assert_same(broken, whole)
    for key in ("loss", "held_out_loss", "best_epoch"):
        assert broken.provenance[key] == whole.provenance[key]


def first_step(trainer):
    return next(iter(trainer.sampler.epoch(0)))


@pytest.mark.parametrize("one", ["dropout", "noise", "overlay"])
def test_each_of_them_makes_another_training(library, film, small, one):
    def stepped(**training):
        dropout = training.pop("dropout", 0.0)
        trainer = Trainer(library, lively(small(**training), dropout), 0, CPU)
        trainer.network.train()
        trainer.train_step(first_step(trainer))
        return trainer._copy_weights()

    plain, again, other = stepped(), stepped(), stepped(**{one: 0.4})
    assert all(torch.equal(plain[name], again[name]) for name in plain)
    assert any((plain[name] != other[name]).any() for name in plain)


def test_a_step_leaves_the_generator_alone(library, film, small):
    trainer = Trainer(library, lively(small(**EVERY)), 0, CPU)
    before = torch.random.get_rng_state()
    trainer.network.train()
    trainer.train_step(first_step(trainer))
    assert torch.equal(torch.random.get_rng_state(), before)


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
@pytest.mark.parametrize("eyed", [False, True])
def test_exposed_pairs_are_the_lighter_picture_and_both_sounds(library, film, small, share, eyed):
    recipe = small(overlay=share, held_out=0.0, batch=100)
    trainer = Trainer(library, lively(recipe) if eyed else recipe, 0, CPU)
    pairs, exposed, seen = trainer.training_data.training, 0, 0
    for step in trainer.sampler.iterate_epoch(0):
        which, over = step.indices[:, 0], step.overlay_indices[:, 0]
        looks, wanted = trainer.examples.load_batch(which, over)
        frames, excerpts = pairs.load(which)
        twice = over >= 0
        assert set(over[twice]) <= set(which)
        others = pairs.load(over[twice])
        frames[twice] = np.maximum(frames[twice], others[0])
        excerpts[twice] += others[1]
        expected = trainer.network.extract_features(
            encode_frames(torch.from_numpy(frames), trainer.recipe.input)
        )
        torch.testing.assert_close(looks, expected)
        torch.testing.assert_close(wanted, trainer.target.encode(torch.from_numpy(excerpts)))
        exposed, seen = exposed + twice.sum(), seen + len(which)
    # A binomial's deviation is at most 0.046 of 119; four times that.
    assert abs(exposed / seen - share) <= 0.19


def test_without_a_share_data_are_untouched(library, film, small):
    trainer = Trainer(library, small(), 0, CPU)
    for step in trainer.sampler.iterate_epoch(0):
        assert (step.overlay_indices == -1).all()
        looks, wanted = trainer.examples.load_batch(step.indices[:, 0], step.overlay_indices[:, 0])
        frames, excerpts = trainer.training_data.training.load(step.indices[:, 0])
        assert torch.equal(looks, encode_frames(torch.from_numpy(frames), trainer.recipe.input))
        assert torch.equal(wanted, trainer.target.encode(torch.from_numpy(excerpts)))


def entering(trainer, step):
    """What enters the first layer that learns."""
    caught = []
    first = trainer.network.backbone.layers[0]
    hook = first.register_forward_pre_hook(lambda _, given: caught.append(given[0]))
    trainer.train_step(step)
    hook.remove()
    return caught[0][:, 0]


@pytest.mark.parametrize("with_eyes", [False, True])
def test_noise_enters_the_first_layer_that_learns(library, film, small, with_eyes):
    recipe = small(noise=0.3, batch=1000)
    trainer = Trainer(library, lively(recipe) if with_eyes else recipe, 0, CPU)
    trainer.network.train()
    noise = []
    for step in trainer.sampler.iterate_epoch(0):
        seen = trainer.examples.load_batch(step.indices[:, 0])[0]
        noise.append(entering(trainer, step) - seen)
    # The deviation of 100 * 348 draws or more strays by 0.4 %; six times that.
    noise = torch.cat(noise)
    assert noise.std().item() == pytest.approx(0.3, rel=0.025)
    assert abs(noise.mean().item()) < 0.01


def test_evaluation_leaves_nothing_to_chance(library, film, small):
    trainer = Trainer(library, lively(small(**EVERY)), 0, CPU)
    first = trainer.evaluate()
    torch.rand(5)
    assert trainer.evaluate() == first
    calm = {"block_seconds": 1.0, "guard_seconds": 0.1}
    plain = Trainer(library, lively(small(**calm), 0.0), 0, CPU)
    with torch.no_grad():
        for mine, theirs in zip(
            plain.network.parameters(), trainer.network.parameters(), strict=True
        ):
            mine.copy_(theirs)
    assert plain.evaluate() == pytest.approx(first, rel=1e-6)


def test_what_was_trained_with_chance_plays_without(library, film, small, tmp_path):
    brain = train(library, lively(small(**EVERY)), tmp_path / "b.safetensors", device="cpu")
    assert not brain.network.training
    frames = np.array(film.frames[:4])
    np.testing.assert_array_equal(brain.predict(frames), brain.predict(frames))


def test_eyes_are_what_they_were_after_training(library, film, small, tmp_path):
    recipe = lively(small(**EVERY))
    before = Trainer(library, recipe, 0, CPU)._copy_weights()
    brain = train(library, recipe, tmp_path / "b.safetensors", device="cpu")
    after = brain.network.state_dict()
    for part in ("weight", "bias", "lines.gain", "lines.mean"):
        name = f"eyes.still.{part}"
        assert torch.equal(after[name], before[name])
        assert after[name].any()
