"""Training for spectra: scales, what silence and the mean score, and nothing held out."""

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


@pytest.mark.parametrize("how", SPECTRAL, ids=str)
def test_silence_and_the_mean_score_as_a_slow_loop_says(library, film, small, how):
    trainer = Trainer(library, small(block_seconds=1.0, **how), 0, CPU)
    target, material = trainer.target, trainer.training_data

    def wanted(pairs):
        for start in pairs.start_samples:
            begin = start - target.lead_samples + 1000
            excerpt = np.pad(film.sound, 1000)[begin : begin + target.excerpt_length]
            yield target.encode(torch.tensor(excerpt[None])).double()

    def score(always, pairs):
        found = []
        for one in wanted(pairs):
            ours, theirs = always[None].double(), one
            if how["loss"] == "log-magnitude":
                ours, theirs = target.log_magnitude(ours), target.log_magnitude(theirs)
                found.append((ours - theirs).abs().mean().item())
            else:
                found.append((ours - theirs).square().mean().item())
        return np.mean(found)

    silence = score(torch.zeros(target.length), material.held_out)
    mean = score(torch.cat(list(wanted(material.training))).mean(0), material.held_out)
    # Sums of thousands in single precision.
    assert trainer.held_out_silence_loss == pytest.approx(silence, rel=1e-4)
    learned = score(torch.zeros(target.length), material.training)
    assert trainer.silence_loss == pytest.approx(learned, rel=1e-4)
    relative = trainer._provenance()["held_out_loss_of_mean"]
    assert relative == pytest.approx(mean / silence, rel=1e-3)
    looks = film.frames[material.held_out.frame_indices].reshape(-1, 1, 4096) / np.float32(255)
    given = trainer.network(torch.from_numpy(looks), ())[0][:, 0]
    ours = np.mean(
        [
            trainer.loss_function(g[None], w.float()).item()
            for g, w in zip(given, wanted(material.held_out), strict=True)
        ]
    )
    assert trainer.evaluate() == pytest.approx(ours / silence, rel=1e-3)


@pytest.mark.parametrize("how", SPECTRAL, ids=str)
def test_nothing_held_out_trains_every_target(library, film, small, out, how):
    brain = train(library, small(held_out=0.0, **how), out, device="cpu")
    assert brain.provenance["pairs"]["held_out"] == 0
    assert brain.provenance["loss"][-1] < brain.provenance["loss"][0]


@pytest.mark.parametrize("kind", ["stft-real", "stft-mag", "stft-both"])
def test_the_scale_is_the_largest_magnitude_that_is_learned(library, film, small, kind):
    how = {"target": {"kind": kind, "window_length": 128}}
    material = Trainer(library, small(**how), 0, CPU).training_data
    largest = 0.0
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(128) / 128)
    for start in material.training.start_samples:
        sound = film.sound[start + 133 - 64 :][:128]
        spectrum = np.fft.rfft(sound * window) / 32
        largest = max(largest, np.abs(spectrum.real if kind == "stft-real" else spectrum).max())
    assert material.scale == pytest.approx(largest, rel=1e-5)
    assert largest < 0.5
