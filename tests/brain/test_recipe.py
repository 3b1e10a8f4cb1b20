"""Recipes are read strictly, and the bundled ones have the documented layers."""

import re
from fractions import Fraction
from functools import cache
from itertools import pairwise

import msgspec
import numpy as np
import pytest
import torch

from frame2sound.brain.brain import Brain
from frame2sound.brain.brain_file import load_brain, save_brain
from frame2sound.brain.config import Pixels, TrainingConfig
from frame2sound.brain.frame_encoding import input_size
from frame2sound.brain.fuse import fuse_layers
from frame2sound.brain.networks import build_network, get_brightness_branch
from frame2sound.brain.recipe import (
    PRESETS,
    identity_table,
    load_recipe,
    parse_recipe,
    recipe_names,
    recipe_table,
)
from frame2sound.brain.targets import build_target
from frame2sound.errors import RecipeError
from frame2sound.library.store import Library
from frame2sound.training.loop import train

HINDLE_LAYERS = {
    "armstrong-basic": [4096, 1000, 735],
    "lines-small": [4096, 1000, 735],
    "lines": [4096, 1000, 1000, 1000, 735],
    "seeing-a-sound-shallow": [4096, 1000, 735],
    "seeing-a-sound-deeper": [4096, 1000, 1000, 1000, 735],
    "ramshackletyping": [4096, 1000, 735],
    "osborne-combined-big": [4096, 1000, 1000, 1000, 735],
    "kungfury": [4096, 2000, 1500, 1000, 735],
    "four-layers": [4096, 2048, 1000, 1000, 735],
    "stft-real": [4096, 1024, 1024, 1024, 513],
    "stft-mag": [4096, 2048, 2048, 2048, 1025],
    "stft-both": [4096, 2048, 2048, 2048, 2050],
    "stft-both-fft2": [4224, 2050, 2050, 2050, 2050],
}
"""The layers of the brains of 2015, as their author gives them."""

OTHER_LAYERS = {
    "deep": [256 + 340, 512, 512, 512, 4 * (1 + 513)],
    "shallow": [256 + 340, 512, 4 * (1 + 513)],
    "mel": [256 + 340, 512, 512, 512, 4 * (1 + 96)],
    "waveform": [256 + 340, 512, 512, 512, 911],
    "memory": [5 * (256 + 340), 512, 512, 4 * (1 + 513)],
}
"""Eigenframes and profiles to four spectra a frame, each with its level;
or blocks of 735 samples and a lead of 0.008 s, which is 176."""


def widths(network):
    branch = get_brightness_branch(network)
    of_glance = set() if branch is None else set(branch)
    layers = [layer for layer in network.modules()
              if isinstance(layer, torch.nn.Linear) and layer not in of_glance]  # fmt: skip
    enters = layers[0].in_features
    if network.features is not None and network.features.still.profiles is None:
        enters = network.features.still.weight.shape[1]  # linear too: a part of the first layer
    return [enters, *(layer.out_features for layer in layers)]


def test_every_bundled_recipe_is_in_the_table():
    assert set(recipe_names()) >= set(HINDLE_LAYERS) | set(OTHER_LAYERS)


@pytest.mark.parametrize(("name", "layers"), (HINDLE_LAYERS | OTHER_LAYERS).items())
def test_a_bundled_recipe_has_its_layers(name, layers):
    recipe = load_recipe(name)
    with torch.device("meta"):
        network = build_network(recipe, input_size(recipe.input), build_target(recipe).length)
    assert widths(network) == layers
    if name == "memory":
        cells = network.backbone.backbone.cells
        assert [(cell.input_size, cell.hidden_size) for cell in cells] == [(512, 256)]
        assert network.head.in_features == 512 + 256 + 64  # its layers, its memory, its glance


@pytest.fixture(scope="module")
def library_at(tmp_path_factory, add_film):
    """Return a function that returns a library with a second of film."""

    @cache
    def create(sample_rate, colour):
        folder = tmp_path_factory.mktemp("shipped") / "library"
        library = Library.create(folder, sample_rate, colour)
        add_film(library, "film")
        return library

    return create


TCN = "network={kind='tcn', hidden=[16], channels=8, layers=2}"
VARIANTS = [
    ("memory", "network.cell=lstm", "network.memory=[8, 6]", "network.residual=true"),
    ("memory", "network.feedback_units=5", "training.chunk=8", "input.history=1"),
    ("memory", "network.brightness_branch=4", "input.motion=true"),
    ("memory", TCN, "input.history=2", "input.motion=true"),
    ("memory", "input.colour=true", "training.pretraining=0"),
    ("waveform", "network.hidden=[16, 16]", "network.residual=true", "training.pretraining=1"),
    ("waveform", TCN, "training.loss=multi-resolution"),
    (
        "deep",
        "network.brightness_branch=0",
        "input.history=3",
        "input.motion=true",
        "input.colour=true",
    ),
    ("stft-both-fft2", "input.history=1", "input.motion=true"),
    ("lines", "preset=hindle", "network.hidden=[16, 16]", "training.pretraining=1"),
    ("mel", "network={kind='rnn', hidden=[16], memory=[6]}"),
]
"""Recipes that ship, changed by hand: memory, the past, motion and colour."""


@pytest.mark.parametrize(
    ("name", "changes"),
    [*((name, ()) for name in recipe_names()), *((name, changes) for name, *changes in VARIANTS)],
    ids=str,
)
def test_a_bundled_recipe_trains_saves_loads_and_predicts(tmp_path, library_at, name, changes):
    narrow = [16] * len(load_recipe(name).network.hidden)
    settings = [f"network.hidden={narrow}", "training.epochs=1", "training.batch=30"]
    out = tmp_path / "brain.safetensors"
    recipe = load_recipe(name, [*settings, *changes])
    library = library_at(recipe.clock.sample_rate, recipe.input.colour)
    brain = train(library, recipe, out, device="cpu")
    again = load_brain(out)
    frames = np.array(library.films()[0].frames[:5])
    actual = again.predict(frames)
    assert len(actual) == 5
    assert np.isfinite(actual).all()
    assert actual.any()
    np.testing.assert_array_equal(actual, brain.predict(frames))
    assert again.recipe == brain.recipe
    assert again.clock.fps == 30


@pytest.mark.parametrize("name", ["shallow", "lines-small"])
def test_a_bundled_recipe_in_full_size_saves_and_loads(tmp_path, name):
    brain = Brain.untrained(load_recipe(name))
    if name == "lines-small":
        assert [layer.weight.shape for layer in fuse_layers(brain)] == [(1000, 4096), (735, 1000)]
        learned = (512 + 1) * 1000 + (1000 + 1) * 735
    else:
        learned = sum((before + 1) * after for before, after in pairwise(widths(brain.network)))
        learned += 2 * 512  # the layer's norm
        learned += (3 + 1) * 64 + (64 + 1) * 64 + 64 * 2056  # the glance, and its way out
    assert brain.parameter_count == learned
    save_brain(brain, tmp_path / "brain.safetensors")
    frames = np.random.default_rng(0).integers(0, 256, (3, 64, 64), np.uint8)
    again = load_brain(tmp_path / "brain.safetensors").predict(frames)
    np.testing.assert_array_equal(again, brain.predict(frames))


BASE = {"name": "x", "network": {"kind": "mlp", "hidden": [4]}}


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"colour": 1}, r"'x'.*unknown setting colour: did you mean input.colour\?"),
        (
            {"training": {"epoch": 1}},
            r"unknown setting training.epoch: did you mean training.epochs\?",
        ),
        ({"training": {"epochs": "five"}}, r"a whole number, got a text.*training\.epochs"),
        ({"training": {"epochs": 0}}, r">= 1.*training\.epochs"),
        ({"training": {"epochs": 1.5}}, "Expected a whole number, got a number"),
        ({"training": {"rate": 0}}, r"> 0.*training\.rate"),
        ({"training": {"rate": float("nan")}}, r"training\.rate"),
        ({"training": {"rate": float("inf")}}, r"training\.rate"),
        ({"training": {"held_out": 1.0}}, r"< 1.*training\.held_out"),
        ({"training": {"optimiser": "magic"}}, "Invalid enum value 'magic'"),
        ({"training": 5}, r"training"),
        ({"network": {"kind": "mlp", "hidden": [0]}}, r">= 1.*network\.hidden"),
        ({"network": {"kind": "mlp", "hidden": [65537]}}, "<= 65536"),
        ({"network": {"kind": "mlp", "hidden": 4}}, "Expected a list"),
        ({"network": {"kind": "transformer", "hidden": [4]}}, "transformer"),
        ({"network": {"kind": "mlp"}}, "missing required field `hidden`"),
        ({"target": {"lead_seconds": 0.1}}, "missing required field `kind`"),
        ({"target": {"kind": "cepstrum"}}, "cepstrum"),
        ({"target": {"kind": "mel", "bands": 4}}, r">= 8.*target\.bands"),
        ({"target": {"kind": "log-mag", "window_length": 333}}, r"multiple of 2.*window_length"),
        ({"target": {"kind": "log-mag", "window_length": 8}}, r">= 16.*window_length"),
        ({"target": {"kind": "log-mag", "floor_db": -10}}, r"<= -20.*target\.floor_db"),
        ({"target": {"kind": "log-mag", "window": "kaiser"}}, "kaiser"),
        (
            {"target": {"kind": "stft-mag", "windows_per_frame": 0}},
            r">= 1.*target\.windows_per_frame",
        ),
        (
            {"target": {"kind": "stft-real", "windows_per_frame": 2}},
            r"2.*target\.windows_per_frame",
        ),
        (
            {"target": {"kind": "stft-mag", "lead_seconds": 0.1}},
            "unknown setting target.lead_seconds; expected one of window_length",
        ),
        ({"input": {"kind": "wavelets"}}, "wavelets"),
        ({"training": {"loss": "magic"}}, "Invalid enum value 'magic'"),
        ({"target": {"kind": "pcm", "lead_seconds": 1.5}}, r"<= 1.*target\.lead_seconds"),
        ({"target": {"kind": "pcm", "lead_seconds": float("nan")}}, r"target\.lead_seconds"),
        ({"target": {"kind": "pcm", "scaling": "double"}}, "double"),
        ({"clock": {"sample_rate": 10}}, r">= 100.*clock\.sample_rate"),
        ({"preset": "mozart"}, "no preset 'mozart'; expected one of hindle"),
        ({"preset": ["hindle"]}, "no preset"),
        ({"preset": "hindle", "training": 5}, "training"),
    ],
    ids=str,
)
def test_invalid_recipes_are_refused(change, match):
    with pytest.raises(RecipeError, match=match):
        parse_recipe(BASE | change)


@pytest.mark.parametrize(
    ("fps", "exact"),
    [
        ("30000/1001", Fraction(30000, 1001)),
        ("24", Fraction(24)),
        (25, Fraction(25)),
        ("29.97", Fraction(2997, 100)),
    ],
)
def test_a_frame_rate_is_exact(fps, exact):
    recipe = parse_recipe(BASE | {"clock": {"fps": fps}})
    assert recipe.clock.fps == exact
    assert recipe.to_clock().fps == exact


RNN = {"kind": "rnn", "hidden": [4]}
TCN_TABLE = {"kind": "tcn", "hidden": [4]}


@pytest.mark.parametrize(
    ("network", "match"),
    [
        (RNN | {"memory": []}, "length >= 1"),
        (RNN | {"memory": [0]}, r">= 1.*network\.memory"),
        (RNN | {"memory": [8] * 17}, "length <= 16"),
        (RNN | {"hidden": [65536], "memory": [7000]}, "hidden layers of 2031008000 weights"),
        (RNN | {"memory": [65536]}, "expected at most 500000000"),
        (RNN | {"cell": "elman"}, r"elman.*network\.cell"),
        (RNN | {"feedback_units": -1}, r">= 0.*network\.feedback_units"),
        (RNN | {"feedback_units": 4097}, r"<= 4096.*network\.feedback_units"),
        (RNN | {"hidden": [30000, 30000]}, "hidden layers of 900000000 weights"),
        (RNN | {"channels": 4}, "unknown setting network.channels"),
        (TCN_TABLE | {"kernel": 1}, r">= 2.*network\.kernel"),
        (TCN_TABLE | {"kernel": 65}, r"<= 64.*network\.kernel"),
        (TCN_TABLE | {"layers": 0}, r">= 1.*network\.layers"),
        (TCN_TABLE | {"layers": 13}, r"<= 12.*network\.layers"),
        (TCN_TABLE | {"channels": 0}, r">= 1.*network\.channels"),
        (TCN_TABLE | {"channels": 8192}, "hidden layers of 805339136 weights"),
        (TCN_TABLE | {"hidden": [30000, 30000]}, "hidden layers of 900000000 weights"),
        (TCN_TABLE | {"memory": [4]}, "unknown setting network.memory"),
        (
            {"kind": "mlp", "hidden": [4], "feedback_units": 4},
            "unknown setting network.feedback_units",
        ),
        ({"kind": "transformer", "hidden": [4]}, "transformer"),
    ],
    ids=str,
)
def test_invalid_networks_are_refused(network, match):
    with pytest.raises(RecipeError, match=match):
        parse_recipe(BASE | {"network": network})


@pytest.mark.parametrize(
    ("input_table", "match"),
    [
        ({"history": -1}, r">= 0.*input\.history"),
        ({"history": 65}, r"<= 64.*input\.history"),
        ({"motion": 1}, r"input\.motion"),
        ({"color": True}, r"unknown setting input.color: did you mean input.colour\?"),
    ],
    ids=str,
)
@pytest.mark.parametrize("kind", ["pixels", "eigenframes", "fft2"])
def test_invalid_inputs_are_refused(kind, input_table, match):
    with pytest.raises(RecipeError, match=match):
        parse_recipe(BASE | {"input": {"kind": kind} | input_table})


def test_eigenframes_of_a_fourier_transform_have_no_profiles_or_brightness():
    input_table = {"kind": "eigenframes", "of": "fft2", "count": 9}
    with pytest.raises(RecipeError, match=r"no profiles; use input\.profiles=false"):
        parse_recipe(BASE | {"input": input_table})
    recipe = parse_recipe(BASE | {"input": input_table | {"profiles": False}})
    assert input_size(recipe.input) == 2 * 64 * 33
    with pytest.raises(RecipeError, match="brightness_branch needs input eigenframes of pictures"):
        load_recipe("deep", ["input.of=fft2", "input.profiles=false"])


@pytest.mark.parametrize("network", [RNN, TCN_TABLE], ids=str)
def test_recurrent_networks_refuse_pretraining(network):
    table = BASE | {"network": network, "training": {"pretraining": 1}}
    with pytest.raises(RecipeError, match=r"pretraining is for feed-forward layers; use network"):
        parse_recipe(table)
    assert parse_recipe(BASE | {"training": {"pretraining": 1}}).training.pretraining == 1


def test_settings_of_training_that_change_nothing_are_no_part_of_the_identity():
    settings = {"overlay_epochs": 1, "min_steps": 16, "loudness": "film"}
    before = identity_table(parse_recipe(BASE))
    assert before == identity_table(parse_recipe(BASE | {"training": settings}))
    assert not settings.keys() & before["training"].keys()
    for name, value in {"overlay_epochs": 2, "min_steps": 6, "loudness": "equal"}.items():
        table = identity_table(parse_recipe(BASE | {"training": {name: value}}))
        assert table["training"].pop(name) == value
        assert table == before


@pytest.mark.parametrize("key", ["chunk=0", "chunk=5000", "pretraining=-1", "pretraining=0.5"])
def test_invalid_training_settings_are_refused(key):
    with pytest.raises(RecipeError, match=rf"training\.{key.partition('=')[0]}"):
        load_recipe("memory", [f"training.{key}"])


@pytest.mark.parametrize("name", ["deep", "shallow", "mel"])
def test_a_preset_removes_eigenframes_and_brightness_branch(name):
    recipe = load_recipe(name, ["preset=hindle"])
    assert load_recipe(name).network.brightness_branch
    assert recipe.network.brightness_branch == 0
    assert recipe.network.hidden == load_recipe(name).network.hidden
    assert recipe.input == Pixels()


@pytest.mark.parametrize("fps", [29.97, 0, -5, "0", "1/0", "fast", 1001, [30], None, "nan", True])
def test_an_invalid_frame_rate_is_refused(fps):
    with pytest.raises(RecipeError, match="'x'"):
        parse_recipe(BASE | {"clock": {"fps": fps}})


def test_a_float_frame_rate_is_refused_with_a_remedy():
    with pytest.raises(RecipeError, match=r"got 29\.97, expected an exact number such as 30 or"):
        parse_recipe(BASE | {"clock": {"fps": 29.97}})


def test_an_unknown_recipe_is_answered_with_the_known_ones():
    with pytest.raises(
        RecipeError, match="no recipe 'cats'; expected one of armstrong-basic, deep"
    ):
        load_recipe("cats")


@pytest.mark.parametrize("text", ["hidden = [", "\xff\xfe", "a = 1\na = 2"])
def test_a_file_that_is_not_a_recipe_is_refused(tmp_path, text):
    path = tmp_path / "mine.toml"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(RecipeError, match=r"mine\.toml is not readable as a recipe"):
        load_recipe(str(path))


def test_a_recipe_file_gives_its_name_to_the_recipe(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text('[network]\nkind = "mlp"\nhidden = [4]\n')
    recipe = load_recipe(str(path))
    assert recipe.name == "mine"
    assert recipe.training == TrainingConfig()
    path.write_text('name = "ours"\n[network]\nkind = "mlp"\nhidden = [4]\n')
    assert load_recipe(str(path)).name == "ours"


@pytest.mark.parametrize(
    ("setting", "get", "value"),
    [
        ("training.epochs=5", lambda r: r.training.epochs, 5),
        (" training.epochs = 5 ", lambda r: r.training.epochs, 5),
        ("training.rate=2.5e-3", lambda r: r.training.rate, 2.5e-3),
        ("training.rate=1", lambda r: r.training.rate, 1.0),
        ("network.hidden=[64, 32]", lambda r: r.network.hidden, (64, 32)),
        ("network.hidden=[]", lambda r: r.network.hidden, ()),
        ("network.activation=tanh", lambda r: r.network.activation, "tanh"),
        ('network.activation="tanh"', lambda r: r.network.activation, "tanh"),
        ("clock.fps=30000/1001", lambda r: r.clock.fps, Fraction(30000, 1001)),
        ("clock.fps=24", lambda r: r.clock.fps, Fraction(24)),
        ("name=mine", lambda r: r.name, "mine"),
        ("about=a = b", lambda r: r.about, "a = b"),
    ],
)
def test_settings_change_a_recipe(setting, get, value):
    assert get(load_recipe("shallow", [setting])) == value


@pytest.mark.parametrize(
    ("setting", "match"),
    [
        ("training.epochs", "got setting 'training.epochs', expected key=value"),
        ("=5", "expected key=value"),
        ("", "expected key=value"),
        ("training.epochs=many", "Expected a whole number, got a text"),
        ("training.epochs=", "Expected a whole number, got a text"),
        ("training.speed=1", "unknown setting training.speed; expected one of loss, optimiser"),
        ("training=5", "training"),
        ("about.me=1", "got setting 'about.me=1', but about is a value, not a table"),
        ("network.hidden.x=1", "but hidden is a value"),
        ("clock.fps=29.97", "expected an exact number"),
        ("preset=mozart", "no preset 'mozart'"),
    ],
)
def test_invalid_settings_are_refused(setting, match):
    with pytest.raises(RecipeError, match=match):
        load_recipe("shallow", [setting])


def test_later_settings_override_earlier_ones():
    recipe = load_recipe("shallow", ["training.epochs=5", "training.epochs=6"])
    assert recipe.training.epochs == 6


def test_the_hindle_preset_is_that_of_2015():
    recipe = load_recipe("lines", ["preset=hindle"])
    training = recipe.training
    assert (training.optimiser, training.rate, training.momentum) == ("nag", 1e-4, 0.9)
    assert (training.batch, training.schedule, training.weight_decay) == (10, "constant", 0)
    assert recipe.target.scaling == "half"
    assert recipe.network == load_recipe("lines").network


@pytest.mark.parametrize("order", [1, -1])
@pytest.mark.parametrize("preset", ["preset=hindle", " preset = hindle"])
def test_a_preset_overrides_the_recipe_and_settings_override_the_preset(order, preset):
    recipe = load_recipe("waveform", ["training.rate=0.5", preset][::order])
    assert recipe.training.rate == 0.5
    assert recipe.training.batch == 10
    assert load_recipe("waveform").target.lead_seconds > 0
    assert recipe.target.lead_seconds == 0


def test_settings_in_a_file_override_its_preset(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text(
        'preset = "hindle"\n[network]\nkind = "mlp"\nhidden = [4]\n[training]\nrate = 0.5\n'
    )
    training = load_recipe(str(path)).training
    assert (training.rate, training.batch, training.optimiser) == (0.5, 10, "nag")


@pytest.mark.parametrize("name", recipe_names())
@pytest.mark.parametrize("settings", [[], ["preset=hindle"], ["clock.fps=30000/1001"]])
def test_a_recipe_survives_its_table(name, settings):
    recipe = load_recipe(name, settings)
    table = recipe_table(recipe)
    assert parse_recipe(msgspec.json.decode(msgspec.json.encode(table))) == recipe
    assert table["clock"]["fps"] == str(recipe.clock.fps)


def test_a_recipe_leaves_the_table_and_the_presets_as_they_were():
    table = BASE | {"preset": "hindle", "training": {"epochs": 3}}
    before = str(table), str(PRESETS)
    assert parse_recipe(table).training.epochs == 3
    assert (str(table), str(PRESETS)) == before


@pytest.mark.parametrize("setting", ["input.motion=true", "input.kind=fft2"])
def test_a_setting_beside_a_preset_leaves_the_preset_as_it_was(setting):
    before = str(PRESETS)
    assert load_recipe("deep", ["preset=hindle", setting]) != load_recipe("deep", ["preset=hindle"])
    assert str(PRESETS) == before


@pytest.mark.parametrize("kind", ["stft-real", "stft-mag", "stft-both", "log-mag", "mel"])
def test_a_waveforms_loss_is_refused_for_spectra(kind):
    table = BASE | {"target": {"kind": kind}, "training": {"loss": "multi-resolution"}}
    with pytest.raises(
        RecipeError, match=r"multi-resolution needs a waveform; use target.kind=pcm"
    ) as refused:
        parse_recipe(table)
    assert "\n" not in str(refused.value)
    assert parse_recipe(table | {"target": {"kind": "pcm"}}).training.loss == "multi-resolution"


def test_a_preset_leaves_a_target_of_another_kind():
    recipe = load_recipe("deep", ["preset=hindle"])
    assert recipe.target == load_recipe("deep").target
    assert (recipe.training.loss, recipe.training.optimiser) == ("mse", "nag")


def test_a_part_whose_kind_changes_loses_its_settings():
    recipe = load_recipe(
        "deep", ["input.kind=pixels", "input.history=2", "network.brightness_branch=0"]
    )
    assert recipe.input == Pixels(history=2)
    assert load_recipe("deep", ["input.kind=eigenframes"]) == load_recipe("deep")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (["training.epoch=5"], "unknown setting training.epoch: did you mean training.epochs?"),
        (["epochs=5"], "unknown setting epochs: did you mean training.epochs?"),
        (["trainin.epochs=5"], "unknown setting trainin: did you mean training?"),
        (
            ["network.memory=[4]"],
            "unknown setting network.memory; expected one of hidden, activation, ",
        ),
        (["network.kind=rnn", "network.hidden=[4]", "network.memry=[4]"], "mean network.memory?"),
    ],
)
def test_a_misspelt_setting_is_answered_with_the_nearest_of_its_kind(settings, message):
    with pytest.raises(RecipeError, match=re.escape(message)):
        load_recipe("shallow", settings)


def test_a_misspelt_recipe_is_answered_with_the_nearest():
    with pytest.raises(RecipeError, match=r"no recipe 'shalow': did you mean shallow\?; expected"):
        load_recipe("shalow")


def test_recipes_with_eigenframes_match_the_ground_of_films_and_historic_ones_do_not():
    matching = {name for name in recipe_names() if load_recipe(name).input.maps_ground}
    assert matching == {"deep", "mel", "memory", "pocket", "shallow"}
    assert not load_recipe("deep", ["input.colour=true"]).input.maps_ground


def test_a_recipe_that_does_not_match_the_ground_has_the_identity_of_version_0_1():
    as_today = identity_table(load_recipe("deep"))
    as_before = identity_table(load_recipe("deep", ["input.match_ground=false"]))
    assert as_today["input"].pop("match_ground") is True
    assert as_before == as_today
    assert set(as_before["input"]) == {
        *("kind", "colour", "history", "motion", "count", "floor", "profiles", "of")
    }
