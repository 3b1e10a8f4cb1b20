"""The file of a brain is read strictly, without running code; errors name the fault."""

import json
import pickle
import tracemalloc

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from frame2sound.brain.brain import Brain
from frame2sound.brain.brain_file import BRAIN_VERSION, METADATA_KEY, load_brain, save_brain
from frame2sound.brain.corpus import Corpus, CorpusPointer, FilmPictures, Piece
from frame2sound.brain.recipe import parse_recipe
from frame2sound.errors import BrainError

FRAMES = np.random.default_rng(0).integers(0, 256, (3, 64, 64), np.uint8)


@pytest.fixture
def brain(small):
    created = Brain.untrained(
        small(target={"kind": "pcm", "lead_seconds": 0.001}), scale=0.25, seed=1
    )
    created.provenance = {"films": [{"name": "film", "seconds": 1.5}], "ünicode": "ö", "none": None}
    return created


@pytest.fixture
def path(tmp_path, brain):
    save_brain(brain, tmp_path / "brain.safetensors")
    return tmp_path / "brain.safetensors"


def rewrite(path, tensors=lambda tensors: tensors, description=lambda description: description):
    """Rewrite the file of a brain with other tensors or another description."""
    with safe_open(path, "pt") as file:
        text = file.metadata()[METADATA_KEY]
    changed = tensors(load_file(path)), json.dumps(description(json.loads(text)))
    save_file(changed[0], path, {METADATA_KEY: changed[1]})


def test_a_saved_brain_loads_bit_for_bit(path, brain):
    again = load_brain(path)
    np.testing.assert_array_equal(again.predict(FRAMES), brain.predict(FRAMES))
    assert (again.recipe, again.target, again.clock, again.provenance) == (
        brain.recipe,
        brain.target,
        brain.clock,
        brain.provenance,
    )
    assert again.corpus is None
    assert all(parameter.requires_grad for parameter in again.network.parameters())


def test_the_header_holds_the_description_as_json(path, brain):
    with safe_open(path, "pt") as file:
        assert list(file.metadata()) == [METADATA_KEY]
        description = json.loads(file.metadata()[METADATA_KEY])
    assert (description["version"], BRAIN_VERSION) == (3, 4)
    assert parse_recipe(description["recipe"]) == brain.recipe
    assert description["scaling"] == {"scale": 0.25}


def test_a_header_of_any_length_loads(path, brain):
    for length in range(0, 512, 8):  # safetensors pads to 8 bytes; 0x80 is also a pickle's mark
        brain.provenance = {"padding": "x" * length}
        save_brain(brain, path)
        assert load_brain(path).provenance == brain.provenance


def test_a_brain_is_not_overwritten_by_default(path, brain):
    with pytest.raises(BrainError, match="exists already"):
        save_brain(brain, path, overwrite=False)


@pytest.mark.parametrize(
    ("change", "match"),
    [
        (
            lambda t: {k: v for k, v in t.items() if k != "backbone.layers.1.linear.bias"},
            r"layers\.1\.linear\.bias is missing, its recipe asks for float32 \(6,\)",
        ),
        (
            lambda t: t | {"9.bias": torch.zeros(2)},
            r"tensor 9\.bias is float32 \(2,\), its recipe asks for none",
        ),
        (
            lambda t: t | {"backbone.layers.1.linear.bias": torch.zeros(7)},
            r"\.1\.linear\.bias is float32 \(7,\), its recipe asks for float32 \(6,\)",
        ),
        (
            lambda t: t | {"backbone.layers.1.linear.weight": torch.zeros(8, 6)},
            r"\.1\.linear\.weight is float32 \(8, 6\), its recipe asks for float32 \(6, 8\)",
        ),
        (
            lambda t: t | {"backbone.layers.1.linear.bias": torch.zeros(6).half()},
            r"tensor backbone\.layers\.1\.linear\.bias is float16 \(6,\)",
        ),
        (
            lambda t: t | {"backbone.layers.1.linear.bias": torch.zeros(6).double()},
            r"tensor backbone\.layers\.1\.linear\.bias is float64 \(6,\)",
        ),
        (lambda t: {}, r"tensor backbone\.layers\.0\.linear\.weight is missing"),
    ],
)
def test_weights_that_do_not_match_the_recipe_are_refused(path, change, match):
    rewrite(path, tensors=change)
    with pytest.raises(BrainError, match=match):
        load_brain(path)


def with_recipe(part, **values):
    def change(description):
        recipe = description["recipe"]
        return description | {"recipe": recipe | {part: recipe[part] | values}}

    return change


@pytest.mark.parametrize(
    ("change", "match"),
    [
        (
            lambda d: d | {"version": 5},
            "was made by a newer version .*version 5, .* reads up to 4.; update the",
        ),
        (
            lambda d: d | {"version": 1},
            "is of brain version 1, this program reads 2 to 4; train it again",
        ),
        (lambda d: d | {"version": None}, "not readable as a brain"),
        (lambda d: d | {"version": "1"}, "not readable as a brain"),
        (lambda d: d | {"scaling": {"scale": float("nan")}}, "scale is nan, expected more than 0"),
        (lambda d: d | {"scaling": {"scale": -1}}, r"scale is -1\.0, expected more"),
        (lambda d: d | {"scaling": {"scale": 0}}, r"scale is 0\.0, expected more"),
        (lambda d: d | {"scaling": {"scale": float("inf")}}, "scale is inf"),
        (lambda d: d | {"scaling": {"scale": 1e300}}, "scale is 1e"),
        (lambda d: d | {"scaling": {"scale": 10**400}}, "not readable as a brain"),
        (lambda d: d | {"scaling": {"scale": "loud"}}, "not readable as a brain"),
        (lambda d: d | {"scaling": 5}, "not readable as a brain"),
        (lambda d: {"version": 2}, "not readable as a brain: .*`recipe`"),
        (lambda d: d | {"recipe": None}, "not readable as a brain"),
        (lambda d: d | {"recipe": "deep"}, "not readable as a brain"),
        (lambda d: d | {"provenance": 5}, "not readable as a brain"),
        (with_recipe("clock", hands=2), "unknown setting clock.hands"),
        (with_recipe("clock", fps=29.97), "expected an exact number"),
        (with_recipe("clock", fps="1/" + "9" * 30), "not readable as a brain|asks for"),
        (with_recipe("target", lead_seconds=float("nan")), "lead_seconds"),
        (with_recipe("network", hidden=[8]), r"tensor head\.weight"),
        (lambda d: [d], "not readable as a brain"),
        (lambda d: 5, "not readable as a brain"),
        (lambda d: None, "not readable as a brain"),
    ],
)
def test_an_invalid_description_is_refused(path, change, match):
    rewrite(path, description=change)
    with pytest.raises(BrainError, match=match):
        load_brain(path)


@pytest.mark.parametrize("text", ["", "{", "[" * 100_000])
def test_a_description_that_is_not_json_is_refused(path, text):
    save_file(load_file(path), path, {METADATA_KEY: text})
    with pytest.raises(BrainError, match="of another program"):
        load_brain(path)


@pytest.mark.parametrize("metadata", [None, {"format": "pt"}])
def test_a_file_of_another_program_is_refused(path, metadata):
    save_file(load_file(path), path, metadata)
    with pytest.raises(BrainError, match=r"is a \.safetensors file of another program"):
        load_brain(path)


@pytest.mark.parametrize("keep", [0, 1, 7, 8, 9, 100, 2000, 0.5, -4, -1])
def test_a_truncated_file_is_refused(path, keep):
    data = path.read_bytes()
    path.write_bytes(data[: int(keep * len(data)) if isinstance(keep, float) else keep])
    with pytest.raises(BrainError, match="is cut short or not a brain"):
        load_brain(path)


class Bomb:
    """An object that creates a file when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (open, (str(self.path), "w"))


@pytest.mark.parametrize("protocol", [2, 3, 4, 5, "torch"])
def test_a_pickle_is_refused_and_not_run(tmp_path, protocol):
    path, crater = tmp_path / "brain.safetensors", tmp_path / "crater"
    if protocol == "torch":
        torch.save(Bomb(crater), path)
    else:
        path.write_bytes(pickle.dumps(Bomb(crater), protocol))
    with pytest.raises(BrainError, match="is a Python pickle, which can run code when loaded"):
        load_brain(path)
    assert not crater.exists()


def test_a_missing_file_is_an_error(tmp_path):
    with pytest.raises(BrainError, match=r"cannot be read \(no such file or directory\)"):
        load_brain(tmp_path / "brain.safetensors")
    with pytest.raises(BrainError, match="it is a folder, expected a regular file"):
        load_brain(tmp_path)


@pytest.mark.parametrize("layers", [5, 100_000])
def test_a_huge_recipe_takes_no_memory(path, layers):
    resource = pytest.importorskip("resource")
    rewrite(path, description=with_recipe("network", hidden=[65536] * layers))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    tracemalloc.start()
    try:
        with pytest.raises(BrainError):
            load_brain(path)
        assert tracemalloc.get_traced_memory()[1] < 50e6
    finally:
        tracemalloc.stop()
    # In kibibytes (in bytes on macOS, where this is the stricter); one layer would be 17 GB.
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200_000


def test_nan_weights_load_and_fail_on_prediction(path):
    rewrite(path, tensors=lambda t: t | {"head.bias": torch.full_like(t["head.bias"], torch.nan)})
    brain = load_brain(path)
    with pytest.raises(BrainError, match="not finite"):
        brain.predict(FRAMES)


@pytest.fixture
def path_with_full_corpus(path, brain):
    """A brain at 8 kHz whose corpus is at 48 kHz, in stereo."""
    sound = np.random.default_rng(0).integers(-20_000, 20_000, (6000, 2), np.int16)
    pieces = Piece("film", 9, sound[:5000], 2.0), Piece("film", 8000, sound[5000:], 2.0)
    brain.corpus = Corpus(brain.clock, pieces, sample_rate=48_000)
    save_brain(brain, path)
    return path


def test_a_full_corpus_is_loaded_to_the_bit(path_with_full_corpus, brain):
    again = load_brain(path_with_full_corpus).corpus
    assert (again.sample_rate, again.channels, again.clock) == (48_000, 2, brain.clock)
    assert again.seconds == 6000 / 48_000
    for original, loaded in zip(brain.corpus.pieces, again.pieces, strict=True):
        assert (original.film, original.start_sample) == (loaded.film, loaded.start_sample)
        np.testing.assert_array_equal(original.samples, loaded.samples)


def test_only_a_brain_with_a_full_corpus_needs_a_newer_version(path_with_full_corpus, brain):
    def version():
        with safe_open(path_with_full_corpus, "pt") as file:
            return json.loads(file.metadata()[METADATA_KEY])["version"]

    assert version() == 4
    brain.corpus = brain.corpus.analysis
    save_brain(brain, path_with_full_corpus)
    assert version() == 3


@pytest.mark.parametrize(
    ("values", "match"),
    [
        ({"sample_rate": 7999}, "a corpus at 7999 Hz, expected 8000 to 48000"),
        ({"sample_rate": 48_001}, "a corpus at 48001 Hz, expected 8000 to 48000"),
        ({"sample_rate": 10**30}, "a corpus at 10+ Hz"),
        ({"sample_rate": "48000"}, "a corpus at '48000' Hz"),
        ({"sample_rate": 48e3}, "a corpus at 48000.0 Hz"),
        ({"sample_rate": None}, "a corpus at None Hz"),
        ({"channels": 3}, "a corpus in 3 channels, expected 1 or 2"),
        ({"channels": True}, "a corpus in True channels"),
        ({"channels": [2]}, r"a corpus in \[2\] channels"),
        ({"channels": 1}, "holds 6000 samples of film in 2 channels .*, expected 6000 in 1"),
    ],
)
def test_an_impossible_format_of_a_corpus_is_refused(path_with_full_corpus, values, match):
    rewrite(path_with_full_corpus, description=lambda d: d | {"corpus": d["corpus"] | values})
    with pytest.raises(BrainError, match=match):
        load_brain(path_with_full_corpus)


@pytest.fixture
def path_with_corpus(path, brain):
    sound = np.random.default_rng(0).uniform(-0.5, 0.5, 4000).astype(np.float32)
    pictures = FilmPictures(
        np.array([0.001, 0.1 + 0.2]), np.arange(128).reshape(2, 8, 8).astype("u1")
    )
    pieces = Piece("film", 8, sound), Piece("film", 8000, sound[:900])
    brain.corpus = Corpus(brain.clock, pieces, {"film": pictures})
    save_brain(brain, path)
    return path


def test_a_stored_corpus_is_loaded(path_with_corpus, brain):
    again = load_brain(path_with_corpus).corpus
    assert again.clock == brain.clock
    for original, loaded in zip(brain.corpus.pieces, again.pieces, strict=True):
        assert (original.film, original.start_sample) == (loaded.film, loaded.start_sample)
        np.testing.assert_allclose(original.samples, loaded.samples, atol=2**-15)  # 16 bits
    pictures = again.pictures["film"]
    np.testing.assert_array_equal(pictures.times, brain.corpus.pictures["film"].times)
    np.testing.assert_array_equal(pictures.thumbnails, brain.corpus.pictures["film"].thumbnails)


def test_a_corpus_stored_without_pictures_is_loaded(path_with_corpus):
    def without_times(description):
        film = description["corpus"]["films"]["film"]
        return with_corpus(films={"film": {k: film[k] for k in ("peak", "pieces")}})(description)

    rewrite(
        path_with_corpus,
        tensors=lambda t: {k: v for k, v in t.items() if k != "pictures.film"},
        description=without_times,
    )
    corpus = load_brain(path_with_corpus).corpus
    assert len(corpus.pieces) == 2
    assert not corpus.pictures


def test_a_corpus_pointer_is_loaded(path, brain):
    brain.corpus = CorpusPointer("my/library", {"film": "ab12"})
    save_brain(brain, path)
    assert load_brain(path).corpus == brain.corpus


def test_a_brain_without_a_corpus_entry_loads(path):
    rewrite(path, description=lambda d: {k: v for k, v in d.items() if k != "corpus"})
    assert load_brain(path).corpus is None


def with_sound(change):
    return lambda t: t | {"corpus.film": change(t["corpus.film"])}


def zeroed_range(data, begin, end):
    data = data.clone()
    data[begin:end] = 0
    return data


@pytest.mark.parametrize(
    ("change", "match"),
    [
        (lambda t: {k: v for k, v in t.items() if k != "corpus.film"}, "lacks the sound of film"),
        (lambda t: {k: v for k, v in t.items() if k != "pictures.film"}, "lacks the pictures of"),
        (
            lambda t: t | {"pictures.film": torch.zeros(2, 8, 8)},
            "lacks the pictures of film, uint8",
        ),
        (lambda t: t | {"pictures.other": torch.zeros(3)}, r"pictures\.other is float32 \(3,\)"),
        (lambda t: t | {"corpus.other": torch.zeros(3)}, r"corpus\.other is float32 \(3,\)"),
        (with_sound(lambda data: data.float()), "lacks the sound of film"),
        (with_sound(lambda data: data[None]), "lacks the sound of film"),
        (with_sound(lambda data: data[:0]), "sound of film in its corpus is damaged"),
        (
            with_sound(lambda data: zeroed_range(data, 0, 4)),
            "sound of film in its corpus is damaged",
        ),
        (with_sound(lambda data: data[: len(data) // 2]), "is damaged|is cut short"),
        (with_sound(lambda data: zeroed_range(data, 2000, 6000)), "is damaged|is cut short"),
    ],
)
def test_a_damaged_corpus_is_refused(path_with_corpus, change, match):
    rewrite(path_with_corpus, tensors=change)
    with pytest.raises(BrainError, match=match):
        load_brain(path_with_corpus)


def with_corpus(**values):
    return lambda d: d | {"corpus": d["corpus"] | values}


def with_film(**values):
    return lambda d: with_corpus(films={"film": d["corpus"]["films"]["film"] | values})(d)


@pytest.mark.parametrize(
    ("change", "match"),
    [
        (with_film(pieces=[[8, 4000]]), "holds 4900 samples of film in 1 channels .*expected 4000"),
        (with_film(pieces=[[8, 10**12]]), "corpus of 125000000 s, expected at most 3600 s"),
        (with_film(pieces=[]), "not readable as a brain"),
        (with_film(pieces=[[-8, 4900]]), "not readable as a brain"),
        (with_film(pieces=[[8.5, 4900]]), "not readable as a brain"),
        (with_film(pieces=[[True, 4900]]), "not readable as a brain"),
        (with_film(pieces=5), "not readable as a brain"),
        (with_film(picture_times=[0.5]), r"lacks the pictures of film, uint8 \(1, 8, 8\)"),
        (with_film(picture_times=[0.5, 0.5]), "times of the pictures of film that do not ascend"),
        (with_film(picture_times=[0.5, float("nan")]), "that are no seconds"),
        (with_film(picture_times=[-0.5, 0.5]), "that are no seconds"),
        (with_film(picture_times=["0", 1]), "that are no seconds"),
        (with_film(picture_times=[]), "pictures of film without times"),
        (with_film(picture_times=7), "pictures of film without times"),
        (with_film(peak=float("nan")), "a peak of nan"),
        (with_film(peak=1e9), "a peak of"),
        (with_film(peak="loud"), "not readable as a brain"),
        (with_corpus(films={}), "not readable as a brain"),
        (with_corpus(films=[]), "not readable as a brain"),
        (with_corpus(kind="sung"), "a corpus of kind 'sung'"),
        (with_corpus(kind="pointed", library=5), "not readable as a brain: got .*, expected text"),
        (lambda d: d | {"corpus": 5}, "not readable as a brain"),
        (lambda d: d | {"corpus": None}, r"tensor corpus\.film is uint8 .* asks for none"),
    ],
)
def test_an_invalid_description_of_a_corpus_is_refused(path_with_corpus, change, match):
    rewrite(path_with_corpus, description=change)
    with pytest.raises(BrainError, match=match):
        load_brain(path_with_corpus)
