"""Files with any content are read or refused, without a traceback and without running code."""

import json
import string

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from frame2sound.brain.brain import Brain
from frame2sound.brain.brain_file import load_brain, save_brain
from frame2sound.brain.recipe import load_recipe, parse_recipe, recipe_names, recipe_table
from frame2sound.errors import BrainError, FilmError, Frame2SoundError, LibraryError, RecipeError
from frame2sound.evaluation.media_loader import read_truth
from frame2sound.library.checksums import Checksums
from frame2sound.library.store import Card, Library
from frame2sound.rendering.effects import load_chain, parse_chain
from frame2sound.rendering.granular.cloud import parse_cloud
from frame2sound.rendering.mosaic.mosaic_settings import parse_mosaic
from frame2sound.sound.named_scales import parse_scale

fuzzed = settings(
    max_examples=150,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)

TABLE = recipe_table(load_recipe("memory"))
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats()
    | st.sampled_from(["30", "1/0", "mlp", "rnn", "tcn", "eigenframes", "pcm", "log-mag", ""])
    | st.text(max_size=8)
)
NAMES = {key for part in TABLE.values() if isinstance(part, dict) for key in part}
KEYS = st.sampled_from(sorted(NAMES)) | st.text(max_size=6)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3)
)


def paths(table, path=()):
    """Yield the path of every value in nested tables."""
    for key, value in table.items():
        yield (*path, key)
        if isinstance(value, dict):
            yield from paths(value, (*path, key))


def changed(table, path, value):
    key, *rest = path
    return table | {key: changed(table[key], rest, value) if rest else value}


@fuzzed
@given(st.sampled_from(list(paths(TABLE))), VALUES)
def test_a_recipe_with_any_value_is_read_or_refused(path, value):
    try:
        recipe = parse_recipe(changed(TABLE, path, value))
    except RecipeError as error:
        assert "\n" not in str(error)
    else:
        assert parse_recipe(recipe_table(recipe)) == recipe


@fuzzed
@given(st.dictionaries(KEYS, VALUES, max_size=6))
def test_any_table_is_read_as_a_recipe_or_refused(table):
    try:
        recipe = parse_recipe(table)
    except RecipeError as error:
        assert "\n" not in str(error)
    else:
        assert parse_recipe(recipe_table(recipe)) == recipe


@fuzzed
@given(
    st.sampled_from(recipe_names()),
    st.sampled_from([".".join(path) for path in paths(TABLE)]) | st.text(max_size=12),
    st.text(string.printable, max_size=20),
)
def test_any_setting_is_applied_or_refused(name, key, value):
    try:
        load_recipe(name, [f"{key}={value}"])
    except RecipeError as error:
        assert "\n" not in str(error)


@fuzzed
@given(data=st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_any_file_is_read_as_a_recipe_or_refused(tmp_path, data):
    path = tmp_path / "recipe.toml"
    path.write_bytes(data)
    with pytest.raises(RecipeError):
        load_recipe(str(path))


@pytest.fixture(scope="module")
def brain_file(tmp_path_factory):
    recipe = parse_recipe(
        {
            "name": "small",
            "network": {"kind": "rnn", "hidden": [6], "memory": [4]},
            "input": {"kind": "eigenframes", "count": 3, "profiles": False},
            "target": {"kind": "pcm", "lead_seconds": 0.001},
            "clock": {"sample_rate": 8000},
        }
    )
    path = tmp_path_factory.mktemp("brain") / "brain.safetensors"
    save_brain(Brain.untrained(recipe, seed=1), path)
    return path.read_bytes()


@fuzzed
@given(
    st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), min_size=1, max_size=12),
    st.booleans(),
    st.none() | st.floats(0, 1),
)
def test_a_brain_with_any_bytes_changed_is_read_or_refused(
    tmp_path, brain_file, changes, in_header, cut
):
    data = bytearray(brain_file)
    reach = int.from_bytes(data[:8], "little") + 8 if in_header else len(data)
    for key_path, byte in changes:
        data[min(int(key_path * reach), reach - 1)] = byte
    path = tmp_path / "changed.safetensors"
    path.write_bytes(data if cut is None else data[: int(cut * len(data))])
    try:
        brain = load_brain(path)
        with torch.inference_mode():
            brain.predict(np.zeros((2, 64, 64), np.uint8))
    except BrainError as error:
        assert "\n" not in str(error)


CARD = json.loads(
    Card(
        "film.mkv", "0" * 64, 25, 25, 22050, 22050, (0, 22050), checksums=Checksums("a", "b", "c")
    ).to_json()
)


@fuzzed
@given(st.sampled_from(list(paths(CARD))), VALUES)
def test_a_card_with_any_value_is_read_or_refused(path, value):
    try:
        card = Card.from_json(json.dumps(changed(CARD, path, value)))
    except ValueError:
        return
    assert Card.from_json(card.to_json()) == card


@fuzzed
@given(VALUES | st.binary(max_size=60))
def test_any_library_file_is_read_or_refused(tmp_path, value):
    data = value if isinstance(value, bytes) else json.dumps(value).encode()
    (tmp_path / "library.json").write_bytes(data)
    with pytest.raises(LibraryError) as error:
        Library.open(tmp_path)
    assert "\n" not in str(error.value)


@fuzzed
@given(VALUES | st.binary(max_size=60))
def test_any_ground_truth_is_read_or_refused(tmp_path, value):
    path = tmp_path / "truth.json"
    path.write_bytes(value if isinstance(value, bytes) else json.dumps(value).encode())
    with pytest.raises(FilmError) as error:
        read_truth(path)
    assert "\n" not in str(error.value)


WORDS = st.text(string.ascii_lowercase + string.digits + " =,.@:/-", max_size=40)


@fuzzed
@given(WORDS | st.text(max_size=40))
def test_any_words_about_sound_are_understood_or_refused(words):
    for read in (
        lambda: parse_cloud([words]),
        lambda: parse_mosaic([words]),
        lambda: parse_chain(words),
    ):
        try:
            read()
        except Frame2SoundError as error:
            assert "\n" not in str(error)
    try:
        parse_scale(words)
    except ValueError as error:
        assert "\n" not in str(error)


@fuzzed
@given(data=st.binary(max_size=120) | st.text(max_size=120).map(str.encode))
def test_any_file_of_effects_is_read_or_refused(tmp_path, data):
    path = tmp_path / "effects.toml"
    path.write_bytes(data)
    try:
        load_chain(path)
    except Frame2SoundError as error:
        assert "\n" not in str(error)
