"""The file of what was learned: a .safetensors with tokens and weights, and JSON in its header."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import msgspec
import numpy as np
import torch
from msgspec import Meta
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from frame2sound.atomic import atomic_write
from frame2sound.described_tensors import Arrays, TensorFileKind
from frame2sound.dreaming.choice import CountedModel, Mixture
from frame2sound.dreaming.model import DreamModel, LearnedFilm
from frame2sound.dreaming.network import TokenNetwork
from frame2sound.dreaming.ngrams import MAX_ORDER, Smoothing
from frame2sound.dreaming.split import FilmSplit
from frame2sound.dreaming.tokens import BANDS, MAX_CODES, Codebook
from frame2sound.dreaming.training import MAX_STAGES, Stage, TrainedNetwork
from frame2sound.errors import DreamError
from frame2sound.untrusted import one_line_reason

VERSION = 1

METADATA_KEY = "frame2sound.dream"
"""The header entry that holds the description."""

MAX_FILMS, MAX_TOKENS = 10_000, 1 << 20

_KIND = TensorFileKind(
    "a model of dreams",
    METADATA_KEY,
    VERSION,
    "expected a .safetensors file that dreaming has written",
    DreamError,
)

_Count = Annotated[int, Meta(ge=0, le=MAX_TOKENS)]
_Bits = Annotated[float, Meta(ge=0, le=1e6)] | None


class _Film(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    name: Annotated[str, Meta(max_length=1000)]
    digest: Annotated[str, Meta(max_length=100)]
    learned: _Count
    held_out: _Count
    count: _Count


class _Counted(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    order: Annotated[int, Meta(ge=0, le=MAX_ORDER)]
    smoothing: Smoothing
    bits: _Bits


class _Stage(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    step: _Count
    bits: Annotated[float, Meta(ge=0, le=1e6)]


class _Mixture(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    weight: Annotated[float, Meta(gt=0, le=1)]
    bits: Annotated[float, Meta(ge=0, le=1e6)]
    network_bits: Annotated[float, Meta(ge=0, le=1e6)]


class _Description(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    version: int
    codes: Annotated[int, Meta(ge=1, le=MAX_CODES)]
    floor_db: Annotated[float, Meta(ge=-1000, le=1000)]
    films: Annotated[list[_Film], Meta(min_length=1, max_length=MAX_FILMS)]
    trigram: _Counted
    ngram: _Counted
    mixture: _Mixture | None
    stages: Annotated[list[_Stage], Meta(max_length=MAX_STAGES + 2)]


def save_dream_model(model: DreamModel, path: Path, *, overwrite: bool = False) -> None:
    """Write what was learned; the file appears complete or not at all."""
    stages = () if model.network is None else model.network.stages
    description = _Description(
        VERSION,
        len(model.codebook),
        model.codebook.floor_db,
        [_Film(f.name, f.digest, *_split_values(f.split)) for f in model.films],
        _counted(model.trigram),
        _counted(model.ngram),
        None if model.mixture is None else _Mixture(**asdict(model.mixture)),
        [_Stage(stage.step, stage.bits) for stage in stages],
    )
    arrays: Arrays = {
        "centroids": model.codebook.centroids,
        "tokens": np.concatenate([film.tokens for film in model.films]).astype(np.uint8),
    }
    for number, stage in enumerate(stages):
        arrays |= {f"stage{number}.{name}": value for name, value in stage.weights.items()}
    metadata = {METADATA_KEY: msgspec.json.encode(description).decode()}
    data = save({name: np.ascontiguousarray(array) for name, array in arrays.items()}, metadata)
    with atomic_write(path, DreamError, overwrite=overwrite) as partial:
        partial.write_bytes(data)


def load_dream_model(path: Path) -> DreamModel:
    """Return what is in a file; no code in it is run.

    Raises
    ------
    DreamError
        The file is missing, damaged, of another kind, or from a newer version.
    """
    _KIND.refuse_others(path)
    try:
        with safe_open(path, "np") as file:
            description = _KIND.read_description(path, file, _Description)
            arrays = _KIND.read_arrays(path, file, _expected_arrays(description))
    except (SafetensorError, OSError, RuntimeError) as error:
        raise DreamError(
            f"{path} is cut short or damaged ({one_line_reason(error)}); train it again"
        ) from error
    return _build(path, description, arrays)


def _build(path: Path, description: _Description, arrays: Arrays) -> DreamModel:
    tokens, films, begin = arrays["tokens"].astype(np.int64), [], 0
    for film in description.films:
        if not film.learned <= film.held_out <= film.count:
            raise DreamError(f"{path}: the parts of {film.name[:60]} overlap; train it again")
        part = tokens[begin : begin + film.count]
        split = FilmSplit(film.learned, film.held_out, film.count)
        films.append(LearnedFilm(film.name, film.digest, part, split))
        begin += film.count
    if int(tokens.max(initial=0)) >= description.codes:
        raise DreamError(f"{path}: a token is not in the codebook; train it again")
    stages = tuple(
        Stage(stage.step, stage.bits, {
            name.removeprefix(f"stage{number}."): array
            for name, array in arrays.items() if name.startswith(f"stage{number}.")
        })
        for number, stage in enumerate(description.stages)
    )  # fmt: skip
    codebook = Codebook(arrays["centroids"], description.floor_db)
    trigram, ngram = (
        CountedModel(each.order, each.smoothing, each.bits)
        for each in (description.trigram, description.ngram)
    )
    network, mixed = TrainedNetwork(stages) if stages else None, description.mixture
    if (network is None) != (mixed is None):
        raise DreamError(f"{path}: its network or its mixture is missing; train it again")
    mixture = None if mixed is None else Mixture(mixed.weight, mixed.bits, mixed.network_bits)
    return DreamModel(tuple(films), codebook, trigram, ngram, network, mixture)


def _expected_arrays(description: _Description) -> dict[str, tuple[str, list[int]]]:
    count = sum(film.count for film in description.films)
    expected = {"centroids": ("F32", [description.codes, BANDS]), "tokens": ("U8", [count])}
    with torch.device("meta"):
        network = TokenNetwork(description.codes, len(description.films))
    for number in range(len(description.stages)):
        for name, weight in network.state_dict().items():
            expected[f"stage{number}.{name}"] = ("F32", list(weight.shape))
    return expected


def _split_values(split: FilmSplit) -> tuple[int, int, int]:
    return split.learned, split.held_out, split.count


def _counted(model: CountedModel) -> _Counted:
    return _Counted(model.order, model.smoothing, model.bits)
