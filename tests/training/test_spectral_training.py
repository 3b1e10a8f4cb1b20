"""Training on spectra: scales, the losses of silence and of the mean, and no held-out pairs."""

import numpy as np
import pytest
import torch

from frame2sound.training.loop import train
from frame2sound.training.trainer import Trainer

CPU = torch.device("cpu")


@pytest.fixture
def film(library, add_film):
    return add_film(library, "film", seconds=4)


@pytest.fixture
def out(tmp_path):
    return tmp_path / "brain.safetensors"


SPECTRAL = [
    {"target": {"kind": kind, "window_length": 128}, "loss": loss}
    for kind, loss in [
        ("stft-real", "mse"),
        ("stft-mag", "log-magnitude"),
        ("stft-both", "mse"),
        ("log-mag", "log-magnitude"),
        ("mel", "mse"),
    ]
]


@pytest.mark.parametrize("options", SPECTRAL, ids=str)
def test_losses_of_silence_and_the_mean_equal_a_slow_loop(library, film, small, options):
    trainer = Trainer(library, small(block_seconds=1.0, **options), 0, CPU)
    target, data = trainer.target, trainer.training_data

    def targets_of(pairs):
        for start in pairs.start_samples:
            begin = start - target.lead_samples + 1000
            excerpt = np.pad(film.sound, 1000)[begin : begin + target.excerpt_length]
            yield target.encode(torch.tensor(excerpt[None])).double()

    def score(output, pairs):
        found = []
        for one in targets_of(pairs):
            predicted, expected = output[None].double(), one
            if options["loss"] == "log-magnitude":
                predicted, expected = (
                    target.log_magnitude(predicted),
                    target.log_magnitude(expected),
                )
                found.append((predicted - expected).abs().mean().item())
            else:
                found.append((predicted - expected).square().mean().item())
        return np.mean(found)

    silence = score(torch.zeros(target.length), data.held_out)
    mean = score(torch.cat(list(targets_of(data.training))).mean(0), data.held_out)
    # Sums of thousands in single precision.
    assert trainer.held_out_silence_loss == pytest.approx(silence, rel=1e-4)
    learned = score(torch.zeros(target.length), data.training)
    assert trainer.silence_loss == pytest.approx(learned, rel=1e-4)
    relative = trainer._provenance()["held_out_loss_of_mean"]
    assert relative == pytest.approx(mean / silence, rel=1e-3)
    features = film.frames[data.held_out.frame_indices].reshape(-1, 1, 4096) / np.float32(255)
    predictions = trainer.network(torch.from_numpy(features), ())[0][:, 0]
    ours = np.mean(
        [
            trainer.loss_function(g[None], w.float()).item()
            for g, w in zip(predictions, targets_of(data.held_out), strict=True)
        ]
    )
    assert trainer.evaluate() == pytest.approx(ours / silence, rel=1e-3)


@pytest.mark.parametrize("options", SPECTRAL, ids=str)
def test_every_target_trains_without_held_out_pairs(library, film, small, out, options):
    brain = train(library, small(held_out=0.0, **options), out, device="cpu")
    assert brain.provenance["pairs"]["held_out"] == 0
    assert brain.provenance["loss"][-1] < brain.provenance["loss"][0]


@pytest.mark.parametrize("kind", ["stft-real", "stft-mag", "stft-both"])
def test_the_scale_is_the_largest_training_magnitude(library, film, small, kind):
    options = {"target": {"kind": kind, "window_length": 128}}
    data = Trainer(library, small(**options), 0, CPU).training_data
    largest = 0.0
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(128) / 128)
    for start in data.training.start_samples:
        sound = film.sound[start + 133 - 64 :][:128]
        spectrum = np.fft.rfft(sound * window) / 32
        largest = max(largest, np.abs(spectrum.real if kind == "stft-real" else spectrum).max())
    assert data.scale == pytest.approx(largest, rel=1e-5)
    assert largest < 0.5
