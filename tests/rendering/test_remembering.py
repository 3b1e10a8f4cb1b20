"""Soundtracks of brains that remember do not depend on how the animation was cut to be shown."""

from fractions import Fraction

import numpy as np
import pytest
import torch

from frame2sound.brain.brain import Brain
from frame2sound.brain.frame_encoding import encode_frames
from frame2sound.brain.recipe import parse_recipe
from frame2sound.film.decoding.reader import FilmReader
from frame2sound.rendering import soundtrack as module
from frame2sound.rendering.renderer import PlainRenderer
from frame2sound.rendering.soundtrack import Soundtrack
from frame2sound.sound.block_crossfader import BlockCrossfader
from tests.media_files import make_film

NETWORKS = [
    {"kind": "mlp", "hidden": [6]},
    {"kind": "rnn", "hidden": [6], "memory": [5]},
    {"kind": "rnn", "hidden": [6], "memory": [5], "cell": "lstm", "feedback_units": 3},
    {"kind": "tcn", "hidden": [6], "channels": 5, "layers": 5},
]


@pytest.fixture(scope="module")
def animation(tmp_path_factory):
    """A coloured square that goes round, for six seconds at 25 fps."""
    frames = np.zeros((150, 64, 64, 3), np.uint8)
    for number, frame in enumerate(frames):
        x, y = (26 + 20 * np.array([np.cos(number / 9), np.sin(number / 7)])).astype(int)
        frame[y : y + 12, x : x + 12] = 90 + number, 200 - number, 140
    folder = tmp_path_factory.mktemp("drawn")
    return make_film(folder / "film.mov", list(frames), fps=Fraction(25))


def brain_of(network, seen, frames):
    table = {
        "name": "x",
        "clock": {"sample_rate": 8000},
        "input": {"kind": "eigenframes", "count": 4} | seen,
        "network": network,
        "target": {"kind": "pcm", "lead_seconds": 0.004},
    }
    recipe = parse_recipe(table)
    brain = Brain.untrained(recipe, scale=0.1)
    past = recipe.input.past_frames
    seen = np.stack([frames[: len(frames) - past], *[frames[past:]] * past], 1)
    brain.network.features.fit(encode_frames(torch.from_numpy(seen), recipe.input), 0)
    torch.nn.init.normal_(brain.network.head.weight, 0, 0.5, torch.Generator().manual_seed(0))
    return brain


def shown(animation, colour):
    """What a brain of 30 fps is shown."""
    pictures = [frame.picture for frame in FilmReader(animation).frames(colour=colour)]
    return np.stack([pictures[25 * number // 30] for number in range(180)])


PAST = {"history": 3, "motion": True}
COLOUR = {"colour": True, "motion": True}


@pytest.mark.parametrize(
    ("network", "seen"),
    [*((network, PAST) for network in NETWORKS), (NETWORKS[2], COLOUR)],
    ids=str,
)
def test_the_whole_render_is_the_same_however_it_is_cut(animation, monkeypatch, network, seen):
    frames = shown(animation, "colour" in seen)
    brain = brain_of(network, seen, frames)
    join = BlockCrossfader(brain.target.lead, brain.target.lead)
    pieces = [join.process(brain.predict(frames), brain.clock.sample_bounds(180)), join.flush()]
    expected = np.concatenate(pieces)[: 6 * 8000]
    assert np.sqrt(np.mean(expected**2)) > 0.01
    for batch in (7, 128):
        monkeypatch.setattr(module, "BATCH_FRAMES", batch)
        join = PlainRenderer(BlockCrossfader(brain.target.lead, brain.target.lead), 8000)
        sound = np.concatenate(list(Soundtrack(FilmReader(animation), brain, join)))
        assert len(sound) == 6 * 8000
        # The order of a matrix product's sums may change with its size: -106 dB.
        np.testing.assert_allclose(sound, expected, atol=5e-6)
