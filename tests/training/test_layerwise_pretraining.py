"""Layer-wise heads train one layer at a time and are not part of the brain."""

import msgspec
import pytest
import torch
from safetensors.torch import load_file

from frame2sound.brain.config import Eigenframes, LogMag, Mlp
from frame2sound.brain.networks import build_network, initialise
from frame2sound.brain.recipe import Recipe
from frame2sound.training.checkpoint import checkpoint_path
from frame2sound.training.layerwise_pretraining import LayerwiseHeads, feedforward_backbone
from frame2sound.training.loop import train
from frame2sound.training.trainer import Trainer
from tests.training.interrupting import Interrupt, assert_same

CPU = torch.device("cpu")
BLOCKS = {"block_seconds": 1.0, "guard_seconds": 0.1}


@pytest.fixture
def film(library, add_film):
    return add_film(library, "film", seconds=4)


def test_a_stage_trains_one_layer_on_those_before_it():
    network = build_network(Recipe(name="x", network=Mlp((6, 5, 4), "tanh")), 7, 3)
    initialise(network, seed=0)
    heads = LayerwiseHeads(network, (6, 5, 4), seed=0)
    assert heads.layer_count == 3
    values = features = torch.randn(2, 1, 7)
    for stage, layer in enumerate(network.backbone.layers):
        values = layer(values)
        output = heads(features, stage)
        torch.testing.assert_close(output, heads.heads[stage](values))
        network.zero_grad()
        output.sum().backward()
        learns = [part.linear.weight.grad is not None for part in network.backbone.layers]
        assert learns == [number == stage for number in range(3)]


def test_only_the_heads_have_weights():
    network = build_network(Recipe(name="x", network=Mlp((6, 5))), 7, 3)
    names = [f"heads.{number}.{part}" for number in (0, 1) for part in ("weight", "bias")]
    heads = LayerwiseHeads(network, (6, 5), seed=0)
    assert list(heads.state_dict()) == names
    other = LayerwiseHeads(network, (6, 5), seed=1)
    assert not torch.equal(heads.heads[0].weight, other.heads[0].weight)


def test_heads_do_not_take_the_brightness():
    recipe = Recipe(
        name="x",
        network=Mlp((6,), brightness_branch=4),
        input=Eigenframes(count=3, profiles=False),
        target=LogMag(),
    )
    network = build_network(recipe, 4096, 2)
    features = torch.randn(2, 1, 6)
    output = LayerwiseHeads(network, (6,), seed=0)
    expected = output.heads[0](feedforward_backbone(network)(features[..., :3], ())[0])
    torch.testing.assert_close(output(features, 0), expected)


def changes(library, recipe, path):
    """Return which parts of a network changed in each epoch."""
    trainer = Trainer(library, recipe, 0, CPU)
    before, found = [trainer._copy_weights()], []

    def compare(*report):
        if trainer.state.batch == 0:
            now = trainer._copy_weights()
            changed = {name for name in now if not torch.equal(now[name], before[0][name])}
            found.append({name.rpartition(".")[0] for name in changed})
            before[0] = now

    trainer.fit(path, compare)
    return found


@pytest.mark.parametrize("preset", [None, "hindle"])
def test_layers_are_trained_one_by_one_then_together(library, film, small, tmp_path, preset):
    recipe = small(preset, hidden=(6, 5), **BLOCKS)
    training = msgspec.structs.replace(recipe.training, pretraining=2, epochs=2)
    recipe = msgspec.structs.replace(recipe, training=training)
    first, second, head = "backbone.layers.0.linear", "backbone.layers.1.linear", "head"
    found = changes(library, recipe, tmp_path / "x.safetensors")
    assert found == [{first}] * 2 + [{second}] * 2 + [{first, second, head}] * 2


@pytest.mark.parametrize("how", [{}, {"noise": 0.1, "overlay": 0.4}], ids=str)
def test_a_resumed_pretraining_equals_an_uninterrupted_one(library, film, small, tmp_path, how):
    recipe = small(hidden=(6, 5), pretraining=2, epochs=2, **BLOCKS, **how)
    whole = train(library, recipe, tmp_path / "whole.safetensors", device="cpu")
    out = tmp_path / "broken.safetensors"
    steps = Trainer(library, recipe, 0, CPU).steps_per_epoch
    # Within a layer, at its end, within the next, and within all.
    for call in (3, 2 * steps, steps, 2 * steps + 3):
        with pytest.raises(KeyboardInterrupt):
            resume = checkpoint_path(out).exists()
            train(library, recipe, out, device="cpu", resume=resume, on_progress=Interrupt(call))
    broken = train(library, recipe, out, device="cpu", resume=True)
    assert_same(broken, whole)
    for key in ("loss", "held_out_loss", "best_epoch"):
        assert broken.provenance[key] == whole.provenance[key]


def test_the_brain_is_saved_without_the_heads(library, film, small, tmp_path):
    out = tmp_path / "b.safetensors"
    recipe = small(hidden=(6, 5), pretraining=1, epochs=2, patience=1, **BLOCKS)
    brain = train(library, recipe, out, device="cpu")
    assert set(load_file(out)) >= set(brain.network.state_dict())
    assert not any("heads" in name for name in load_file(out))
    assert brain.provenance["epochs"] > 2
    assert brain.provenance["best_epoch"] > 2  # not of pretraining


def test_each_stage_has_its_own_warmup(library, film, small, tmp_path):
    recipe = small(hidden=(6, 5), pretraining=2, epochs=2, warmup=0.5, rate=0.01, **BLOCKS)
    trainer, rates = Trainer(library, recipe, 0, CPU), []

    def remember(*report):
        if trainer.state.batch:
            rates.append(trainer.optimiser.param_groups[0]["lr"])

    trainer.fit(tmp_path / "x.safetensors", remember)
    stage = 2 * trainer.steps_per_epoch
    assert len(rates) == 3 * stage
    assert rates[:stage] == rates[stage : 2 * stage] == rates[2 * stage :]
    assert rates[0] == pytest.approx(0.01 / trainer.steps_per_epoch)
    assert max(rates) == pytest.approx(0.01)
