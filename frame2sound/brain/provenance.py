"""What a brain's file says of where the brain comes from, and whether it can be believed."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from msgspec import Meta

_Count = Annotated[int, Meta(ge=0, le=2**53)]
_Losses = Annotated[list[float], Meta(max_length=1_000_000)]
_HeldOut = Annotated[list[float | None], Meta(max_length=1_000_000)]


class LearnedFilm(msgspec.Struct, frozen=True):
    """A film that a brain has learned from."""

    name: str
    digest: str = ""
    seconds: float = 0.0


class PairCounts(msgspec.Struct, frozen=True):
    """How many pairs of frame and sound were learned, and how many held out."""

    learned: _Count = 0
    held_out: _Count = 0


class Provenance(msgspec.Struct, frozen=True):
    """The types and ranges of what a trained brain's ``provenance`` holds; it may hold less."""

    program: str = ""
    seed: _Count | None = None
    epochs: _Count = 0
    best_epoch: _Count = 0
    seconds: Annotated[float, Meta(ge=0, le=1e12)] = 0.0
    loss: _Losses = []
    held_out_loss: _HeldOut = []
    held_out_loss_of_mean: float | None = None
    films: list[LearnedFilm] = []
    pairs: PairCounts = PairCounts()
    glance: Annotated[float, Meta(ge=0, le=1)] | None = None

    def __post_init__(self) -> None:
        if self.best_epoch > len(self.loss) or len(self.held_out_loss) not in (0, len(self.loss)):
            raise ValueError("its best epoch has no loss")

    @property
    def known(self) -> bool:
        """Whether it says anything of films: of a brain that was never trained there is nothing."""
        return bool(self.films and self.pairs.learned)


def parse_provenance(table: dict[str, Any]) -> Provenance:
    """Read a provenance; `msgspec.ValidationError`, a `ValueError`, if something in it is none."""
    return msgspec.convert(table, Provenance)
