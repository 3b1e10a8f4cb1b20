"""Prediction in chunks equals prediction at once, and screens are silent."""

import numpy as np
import pytest
import torch

from frame2sound.brain import brain as module
from frame2sound.brain.brain import Brain
from frame2sound.brain.brain_file import load_brain, save_brain
from frame2sound.brain.frame_encoding import encode_frames
from frame2sound.brain.networks import TeacherForcing

NETWORKS = {
    "mlp": {"kind": "mlp", "hidden": [6]},
    "gru": {"kind": "rnn", "hidden": [6], "memory": [5]},
    "lstm": {"kind": "rnn", "hidden": [], "memory": [5, 4], "cell": "lstm"},
    "gru with feedback": {"kind": "rnn", "hidden": [6], "memory": [5], "feedback_units": 4},
    "lstm with feedback": {
        "kind": "rnn",
        "hidden": [6],
        "memory": [5],
        "feedback_units": 4,
        "cell": "lstm",
    },
    "tcn": {"kind": "tcn", "hidden": [6], "channels": 5, "kernel": 3, "layers": 3},
}
EIGENFRAMES = {"kind": "eigenframes", "count": 4}
INPUTS = {
    "pixels": {"kind": "pixels"},
    "history": {"kind": "pixels", "history": 3},
    "eigenframes, history, motion": EIGENFRAMES | {"history": 2, "motion": True},
    "eigenframes, motion, colour": EIGENFRAMES | {"motion": True, "colour": True},
}
RECURRENT = [name for name in NETWORKS if name != "mlp"]


def film(colour=False, n=40, seed=0):
    """Return frames of moving squares, so that successive frames are similar."""
    random = np.random.default_rng(seed)
    frames = np.zeros((n, 64, 64, 3), np.uint8)
    place = 20 + np.cumsum(random.integers(-3, 4, (n, 2)), 0).clip(-20, 20)
    for frame, (x, y) in zip(frames, place, strict=True):
        frame[y : y + 12, x : x + 12] = random.integers(60, 256, 3)
    return frames if colour else frames[..., 0].copy()


def lively_brain(recipe):
    """Return a brain with weights so large that all inputs matter."""
    brain = Brain.untrained(recipe, scale=0.1)
    generator = torch.Generator().manual_seed(0)
    torch.nn.init.normal_(brain.network.head.weight, 0, 0.5, generator)
    torch.nn.init.normal_(brain.network.head.bias, 0, 0.5, generator)
    if brain.network.features is not None:
        inputs = windows(film(brain.colour, seed=1), recipe.input.past_frames)
        brain.network.features.fit(encode_frames(torch.from_numpy(inputs), recipe.input), 0)
    return brain


def windows(frames, past):
    """Return each frame after its past frames; the first frame is repeated as its past."""
    at = np.arange(len(frames))
    return np.stack([frames[np.maximum(at - back, 0)] for back in range(past, -1, -1)], 1)


def assert_alike(actual, expected):
    """The order of a matrix product's sums may change with its size."""
    np.testing.assert_allclose(actual, expected, rtol=0, atol=1e-5 * np.abs(expected).max())


@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize("inputs", INPUTS)
def test_prediction_in_chunks_equals_prediction_at_once(small, monkeypatch, network, inputs):
    brain = lively_brain(small(network=NETWORKS[network], input=INPUTS[inputs]))
    frames = film(brain.colour)
    complete = brain.predict(frames)
    assert complete.std(0).mean() > 1e-3
    for cuts in ([1, 2, 9, 9, 30], range(1, 40)):
        stream = brain.start_prediction()
        pieces = [stream.predict(piece) for piece in np.split(frames, cuts)]
        assert_alike(np.concatenate(pieces), complete)
    monkeypatch.setattr(module, "BATCH_FRAMES", 7)
    assert_alike(brain.predict(frames), complete)


@pytest.mark.parametrize("network", ["mlp", "gru", "tcn"])
@pytest.mark.parametrize("inputs", INPUTS)
def test_prediction_equals_a_slow_reference(small, network, inputs):
    recipe = small(network=NETWORKS[network], input=INPUTS[inputs])
    brain = lively_brain(recipe)
    frames = film(brain.colour)
    with torch.no_grad():
        frame_features = brain.network.extract_features(
            encode_frames(torch.from_numpy(windows(frames, recipe.input.past_frames)), recipe.input)
        )
        output, _ = brain.network(frame_features[None], brain.network.initial_state(1))
    assert_alike(brain.predict(frames), output[0].numpy() * 0.1)


@pytest.mark.parametrize("past", [1, 3])
@pytest.mark.parametrize("colour", [False, True])
def test_the_first_frame_is_repeated_as_its_past(small, past, colour):
    recipe = small(input={"kind": "pixels", "history": past, "colour": colour})
    brain = lively_brain(recipe)
    frames = film(colour, 6)
    expected = windows(frames, past)
    assert (expected[0] == frames[0]).all()
    with torch.no_grad():
        frame_features = encode_frames(torch.from_numpy(expected), recipe.input)
        output, _ = brain.network(frame_features[None], brain.network.initial_state(1))
    stream = brain.start_prediction()
    actual = [stream.predict(piece) for piece in np.split(frames, [1, 2])]
    assert_alike(np.concatenate(actual), output[0].numpy() * 0.1)


@pytest.mark.parametrize("inputs", INPUTS)
def test_features_of_a_sequence_equal_those_of_its_windows(small, inputs):
    recipe = small(input=INPUTS[inputs])
    network, past = lively_brain(recipe).network, recipe.input.past_frames
    frames = film(recipe.input.colour)
    run = np.concatenate([np.repeat(frames[:1], past, 0), frames])
    expected = network.extract_features(
        encode_frames(torch.from_numpy(windows(frames, past)), recipe.input)
    )
    actual = network.extract_sequence_features(torch.from_numpy(run), recipe.input)
    assert actual.shape == expected.shape
    assert_alike(actual.numpy(), expected.numpy())


@pytest.mark.parametrize("network", NETWORKS)
def test_prediction_streams_are_independent(small, network):
    brain = lively_brain(small(network=NETWORKS[network], input=INPUTS["history"]))
    one, other = film(), film(seed=5)
    alone = [brain.predict(frames) for frames in (one, other)]
    first, second = brain.start_prediction(), brain.start_prediction()
    mixed = [
        (first.predict(original), second.predict(loaded))
        for original, loaded in zip(np.split(one, 4), np.split(other, 4), strict=True)
    ]
    for actual, expected in zip(zip(*mixed, strict=True), alone, strict=True):
        assert_alike(np.concatenate(actual), expected)
    np.testing.assert_array_equal(brain.predict(one), alone[0])


@pytest.mark.parametrize("network", RECURRENT)
def test_earlier_frames_change_the_prediction(small, network):
    brain = lively_brain(small(network=NETWORKS[network]))
    frames = film()
    other = frames.copy()
    other[20] = 255 - other[20]
    one, two = brain.predict(frames), brain.predict(other)
    np.testing.assert_array_equal(one[:20], two[:20])
    assert np.abs(one[21] - two[21]).max() > 1e-5


@pytest.mark.parametrize("network", NETWORKS)
def test_no_frames_leave_the_state_alone(small, network):
    brain = lively_brain(small(network=NETWORKS[network], input=INPUTS["history"]))
    stream = brain.start_prediction()
    assert len(stream.predict(film()[:0])) == 0
    np.testing.assert_array_equal(stream.predict(film()), brain.predict(film()))


@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize("inputs", ["history", "eigenframes, motion, colour"])
def test_a_saved_brain_predicts_the_same(small, tmp_path, network, inputs):
    brain = lively_brain(small(network=NETWORKS[network], input=INPUTS[inputs]))
    save_brain(brain, tmp_path / "b.safetensors")
    again = load_brain(tmp_path / "b.safetensors")
    assert (again.recipe, again.colour) == (brain.recipe, brain.colour)
    frames = film(brain.colour)
    np.testing.assert_array_equal(again.predict(frames), brain.predict(frames))


def screens(brain, level, seconds):
    shape = (round(seconds * 30), 64, 64, *([3] if brain.colour else []))
    return brain.predict(np.full(shape, level, np.uint8))


@pytest.mark.parametrize("network", [name for name in RECURRENT if "feedback" not in name])
@pytest.mark.parametrize(
    "inputs", ["pixels", "eigenframes, history, motion", "eigenframes, motion, colour"]
)
@pytest.mark.parametrize("level", [0, 255])
def test_screens_are_silent_after_two_seconds(small, network, inputs, level):
    brain = lively_brain(small(network=NETWORKS[network], input=INPUTS[inputs]))
    before = np.abs(screens(brain, level, 3)).max(1)
    assert before.min() > 0.01
    brain.silence_screens()
    sound = np.abs(screens(brain, level, 3)).max(1) / before.max()
    # Sums in single precision of numbers as large as what they were.
    assert sound[59] < 1e-5
    if network == "tcn":  # no earlier frame is in its receptive field
        assert sound[14:].max() < 1e-5
    assert np.abs(brain.predict(film(brain.colour))).max() > 1e-3


@pytest.mark.parametrize("network", ["gru with feedback", "lstm with feedback"])
@pytest.mark.parametrize("scaling", ["rms", "half"])
@pytest.mark.parametrize("level", [0, 255])
def test_a_network_with_feedback_is_silent_on_a_screen_after_silence(
    small, network, scaling, level
):
    brain = lively_brain(
        small(network=NETWORKS[network], target={"kind": "pcm", "scaling": scaling})
    )
    before = np.abs(screens(brain, level, 1 / 30)).max()
    assert before > 0.01
    brain.silence_screens()
    frame_features = torch.full((1, 60, 4096), level / 255)
    silent = torch.full((1, 60, brain.target.length), brain.target.silence_value)
    message = TeacherForcing(silent, torch.zeros(1, 60, dtype=torch.bool))
    with torch.no_grad():
        actual, memory = brain.network(frame_features, brain.network.initial_state(1), message)
        again, _ = brain.network(frame_features[:, :1], memory)
    for output in (actual[:, -1], again[:, 0]):
        # The state has settled to about 1e-5.
        assert np.abs(brain.target.decode(output)).max() < 1e-3 * before


@pytest.mark.parametrize("batch", [1, 3, 40])
@pytest.mark.parametrize("network", ["mlp", "gru"])
def test_a_silent_screen_is_silent_where_it_stands(small, network, batch):
    """From the fifth frame after it appeared on: 167 ms at 30 frames a second."""
    brain = lively_brain(small(network=NETWORKS[network]))
    brain.silent_screens = (255,)
    levels = np.repeat([255, 0, 255, 254, 255], [8, 8, 4, 8, 8])
    frames = np.broadcast_to(levels[:, None, None], (36, 64, 64)).astype(np.uint8)
    stream = brain.start_prediction()
    sound = np.concatenate([stream.predict(frames[at : at + batch]) for at in range(0, 36, batch)])
    silent = (~sound.any(axis=1)).nonzero()[0]
    assert silent.tolist() == [5, 6, 7, 33, 34, 35]


@pytest.mark.parametrize("fps", [12, 24, 30, 60])
def test_a_strobe_at_4_hz_is_not_silenced(small, fps):
    brain = lively_brain(small(network=NETWORKS["mlp"], clock={"fps": fps}))
    brain.silent_screens = (0, 255)
    is_white = (np.arange(2 * fps) * 8 // fps) % 2
    frames = np.broadcast_to(255 * is_white[:, None, None], (2 * fps, 64, 64)).astype(np.uint8)
    assert brain.predict(frames).any(axis=1).all()


@pytest.mark.parametrize("screens", [(), (255,), (0, 255)])
def test_silent_screens_are_saved(small, tmp_path, screens):
    brain = lively_brain(small())
    brain.silent_screens = screens
    save_brain(brain, tmp_path / "b.safetensors")
    assert load_brain(tmp_path / "b.safetensors").silent_screens == screens
