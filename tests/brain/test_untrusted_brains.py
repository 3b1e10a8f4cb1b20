"""Untrusted files that claim to be a brain, a recipe or a checkpoint."""

import json
import os
import resource
import struct

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file

from frame2sound.api.brain_descriptions import describe_training
from frame2sound.brain.brain import Brain
from frame2sound.brain.brain_file import METADATA_KEY, load_brain, save_brain
from frame2sound.brain.recipe import load_recipe, parse_recipe
from frame2sound.errors import BrainError, RecipeError, TrainingError
from frame2sound.training import checkpoint
from tests.commanding import run
from tests.hang_guard import fail_if_hung
from tests.media_files import grey_pictures, make_film


@pytest.fixture
def path(tmp_path, small):
    save_brain(Brain.untrained(small(), seed=1), tmp_path / "brain.safetensors")
    return tmp_path / "brain.safetensors"


def describe(path, change):
    with safe_open(path, "pt") as file:
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        description = json.loads(file.metadata()[METADATA_KEY])
    save_file(tensors, path, {METADATA_KEY: json.dumps(change(description))})


def test_a_film_is_not_a_brain(tmp_path):
    for name in ("film.mp4", "film.mkv", "film.avi"):
        film = make_film(tmp_path / name, grey_pictures([0, 255]))
        with pytest.raises(BrainError) as error:
            load_brain(film)
        assert f"{name} is not a brain (it looks like a film" in str(error.value)
        assert str(error.value).endswith("expected a .safetensors file made by: frame2sound train")


def test_an_unknown_file_is_not_a_brain(tmp_path):
    (tmp_path / "notes.txt").write_text("it rained all day")
    with pytest.raises(BrainError, match=r"is not a brain \(it looks like an unknown file\)"):
        load_brain(tmp_path / "notes.txt")


@pytest.mark.parametrize("length", [(64 << 20) + 1, 10**8, 2**63])
def test_a_huge_header_is_not_read(tmp_path, length):
    path = tmp_path / "brain.safetensors"
    path.write_bytes(struct.pack("<Q", length) + b'{"a":')
    os.truncate(path, 1 << 32)
    refused = pytest.raises(BrainError, match=rf"its header has {length} bytes, expected at most")
    with fail_if_hung(), refused:
        load_brain(path)


@pytest.mark.parametrize("size", [1 << 28, 1 << 40])
def test_a_huge_tensor_is_refused_before_it_is_read(path, size):
    data = path.read_bytes()
    (length,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8 : 8 + length])
    end = max(each["data_offsets"][1] for name, each in header.items() if name != "__metadata__")
    header["more"] = {"dtype": "U8", "shape": [size], "data_offsets": [end, end + size]}
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + data[8 + length :])
    os.truncate(path, 8 + len(text) + end + size)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    # If the system cannot map that much, this is the error.
    with pytest.raises(BrainError, match=rf"more is uint8 \({size},\), its recipe asks|to mmap"):
        load_brain(path)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100_000


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir, lambda path: path.symlink_to("/dev/zero")])
def test_a_pipe_a_folder_or_a_device_is_not_a_brain(tmp_path, make):
    make(tmp_path / "brain")
    with pytest.raises(BrainError, match=r"cannot be read \(it is a .*, expected a regular file\)"):
        load_brain(tmp_path / "brain")


def test_a_link_that_a_user_gives_is_followed(path):
    path.with_name("link").symlink_to(path)
    assert load_brain(path.with_name("link")).recipe.name == "small"


@pytest.mark.parametrize("fps", ["1e999999999", "1/1000000007", "9" * 4000, 10**300, True, 24.5])
def test_an_invalid_frame_rate_is_refused_at_once(path, fps):
    def change(table):
        return table | {"recipe": table["recipe"] | {"clock": {"fps": fps, "sample_rate": 8000}}}

    describe(path, change)
    refused = pytest.raises(BrainError, match="is not readable as a brain")
    with fail_if_hung(), refused as error:
        load_brain(path)
    assert len(str(error.value)) < 600


PROVENANCES = [
    {"pairs": "many"},
    {"pairs": {"learned": -1}},
    {"films": "all"},
    {"films": [{"title": "x"}]},
    {"loss": ["low"]},
    {"best_epoch": 5, "loss": [1.0]},
    {"loss": [1.0], "held_out_loss": [1.0, 1.0], "best_epoch": 1},
    {"seconds": -22050},
    {"seconds": 1e300},
    {"epochs": 10**300},
    {"glance": "bright"},
    {"seed": "7"},
]


@pytest.mark.parametrize("provenance", PROVENANCES, ids=str)
def test_an_impossible_provenance_is_refused(path, provenance):
    describe(path, lambda table: table | {"provenance": provenance})
    with pytest.raises(BrainError, match=r"is not readable as a brain: .*expected a \.safetensors"):
        load_brain(path)


@pytest.mark.parametrize("missing", [True, False])
def test_a_brain_without_provenance_has_a_card_that_says_so(path, missing):
    if missing:
        describe(path, lambda table: {k: v for k, v in table.items() if k != "provenance"})
    result = run(path.parent, "brains", path)
    assert result.returncode == 0, result.stderr
    assert "it does not say what it was trained on" in result.stdout
    assert json.loads(run(path.parent, "brains", path, "--json").stdout)[0]["provenance"] == {}


def test_the_card_shows_the_known_parts_of_a_provenance():
    message = {
        "films": [{"name": "a"}],
        "pairs": {"learned": 5},
        "loss": [2.0, 1.5],
        "best_epoch": 2,
    }
    assert describe_training(message)[:2] == [
        "learned 5 pairs of 1 film in 0 s, 0 epochs",
        "loss 1.500 (silence 1.000); the library is too short to hold any out",
    ]


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 3e38])
def test_nan_weights_are_an_error_and_never_rendered(path, value):
    with safe_open(path, "pt") as file:
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        metadata = file.metadata()
    tensors = {name: torch.full_like(tensor, value) for name, tensor in tensors.items()}
    save_file(tensors, path, metadata)
    film = make_film(path.with_name("film.mkv"), grey_pictures([0, 255, 9] * 8))
    result = run(path.parent, "render", film, "--brain", path, "-o", "out.wav", "--wav")
    assert (result.returncode, len(result.stderr.splitlines())) == (1, 1)
    assert "gives numbers that are not finite: its training diverged" in result.stderr
    assert not path.with_name("out.wav").exists()


@pytest.mark.parametrize("make", [os.mkfifo, lambda path: path.symlink_to("/dev/zero")])
def test_a_pipe_or_a_device_is_not_a_recipe(tmp_path, make):
    make(tmp_path / "r.toml")
    with pytest.raises(RecipeError, match=r"is not readable as a recipe: .*it is a"):
        load_recipe(str(tmp_path / "r.toml"))


@pytest.mark.parametrize(
    "text", ["a" * 10**6, ".".join("a" * 20_000) + "=1", "a=" + "[" * 1500, "a=" + "9" * 1900]
)
def test_a_recipe_of_endless_length_is_refused_at_once(tmp_path, text):
    (tmp_path / "r.toml").write_text(text)
    with fail_if_hung(), pytest.raises(RecipeError) as error:
        load_recipe(str(tmp_path / "r.toml"))
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    "setting", ["training.epochs=" + "9" * 5000, "network.hidden=" + "[" * 9999]
)
def test_a_setting_of_endless_length_is_refused(setting):
    with pytest.raises(RecipeError, match=r"epochs|hidden"):
        load_recipe("deep", [setting])


@pytest.mark.parametrize(("key", "value"), [("batch", 10**12), ("steps", 10**12)])
def test_a_count_has_a_range(key, value):
    with pytest.raises(RecipeError, match=f"training.{key}"):
        parse_recipe(
            {"name": "x", "network": {"kind": "mlp", "hidden": [4]}, "training": {key: value}}
        )


def written(tmp_path, **values):
    network = torch.nn.Linear(2, 2)
    optimiser = torch.optim.SGD(network.parameters())
    path = tmp_path / "b.checkpoint.safetensors"
    checkpoint.save_checkpoint(path, checkpoint.TrainingState("sign"), network, optimiser, {}, ())
    with safe_open(path, "pt") as file:
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        table = json.loads(file.metadata()[checkpoint.METADATA_KEY])
    save_file(tensors, path, {checkpoint.METADATA_KEY: json.dumps(table | values)})
    return lambda: checkpoint.load_checkpoint(
        path, checkpoint.TrainingState("sign"), network, optimiser
    )


def test_a_checkpoint_of_a_newer_version_says_to_update(tmp_path):
    with pytest.raises(TrainingError, match=r"made by a newer version .*; update the program"):
        written(tmp_path, version=2)()


@pytest.mark.parametrize("values", [{"epoch": -1}, {"epoch": 10**30}, {"epoch": "2"}, {"best": []}])
def test_an_impossible_checkpoint_is_refused(tmp_path, values):
    with pytest.raises(TrainingError, match="is not readable as a checkpoint; begin anew: leave"):
        written(tmp_path, **values)()


def test_a_checkpoint_without_a_version_is_read(tmp_path):
    course, _, _ = written(tmp_path, version=1)()
    assert (course.signature, course.best_loss) == ("sign", np.inf)
