"""What is learned of films to dream of them: tokens, a network, and the n-gram it is held to."""

from __future__ import annotations

from dataclasses import dataclass

from frame2sound.dreaming.choice import CountedModel, HeldOutChoice, Mixture
from frame2sound.dreaming.ngrams import MAX_ORDER
from frame2sound.dreaming.sources import Sources
from frame2sound.dreaming.split import FilmSplit, held_out_parts, split_film
from frame2sound.dreaming.tokens import (
    TOKENS_PER_SECOND,
    Codebook,
    Tokens,
    fit_codebook,
    frame_levels,
    token_count,
)
from frame2sound.dreaming.training import MAX_STEPS, TrainedNetwork, train_network
from frame2sound.errors import DreamError
from frame2sound.progress import ProgressCallback, ignore_progress

MIN_GAIN_BITS = 0.2
"""The network plays if it and the best n-gram need so many bits a token less than the trigram."""

MIN_SECONDS = 15.0
"""Of less sound, no network is trained."""


@dataclass(frozen=True)
class LearnedFilm:
    """A film's name, the SHA-256 of its file, its tokens, and which of them were learned."""

    name: str
    digest: str
    tokens: Tokens
    split: FilmSplit

    @property
    def learned(self) -> Tokens:
        """The tokens that were learned."""
        return self.tokens[: self.split.learned]


@dataclass(frozen=True)
class DreamModel:
    """What was learned of films.

    Attributes
    ----------
    films : tuple of LearnedFilm
    codebook : Codebook
    trigram : CountedModel
        The better of the two smoothings.
    ngram : CountedModel
        The best n-gram of any order.
    network : TrainedNetwork or None
        None if there was too little sound.
    mixture : Mixture or None
        How network and n-gram play together; None if there is no network.
    """

    films: tuple[LearnedFilm, ...]
    codebook: Codebook
    trigram: CountedModel
    ngram: CountedModel
    network: TrainedNetwork | None
    mixture: Mixture | None = None

    @property
    def network_plays(self) -> bool:
        """Whether the network, with the n-gram, beats the trigram by enough, and the n-gram."""
        if self.mixture is None or self.trigram.bits is None or self.ngram.bits is None:
            return False
        return self.mixture.bits <= min(self.trigram.bits - MIN_GAIN_BITS, self.ngram.bits)

    @property
    def name(self) -> str:
        """Of what plays, such as network and bigram."""
        if self.mixture is None or not self.network_plays:
            return self.ngram.name
        return "network" if self.mixture.weight == 1 else f"network and {self.ngram.name}"

    def verdict(self) -> str:
        """Return one line that says what plays, and why."""
        seconds = sum(len(film.tokens) for film in self.films) / TOKENS_PER_SECOND
        if self.trigram.bits is None:
            return (
                f"got {seconds:.1f} s of sound in pieces too short to hold any out: too little to "
                f"learn from or to judge; a {self.ngram.name} plays"
            )
        counted = f"{self.ngram.name} {self.ngram.bits:.2f}"
        if self.ngram.order != MAX_ORDER:
            counted = f"trigram {self.trigram.bits:.2f}, {counted}"
        if self.mixture is None:
            return (
                f"got {seconds:.1f} s of sound, expected {MIN_SECONDS:g} s or more to train a "
                f"network; the {self.ngram.name} plays ({counted} bits a token on held-out sound)"
            )
        bits = (
            f"both {self.mixture.bits:.2f}, network {self.mixture.network_bits:.2f}, {counted} "
            "bits a token on held-out sound"
        )
        if self.network_plays:
            return f"the {self.name} play{'s' if self.name == 'network' else ''}: {bits}"
        return (
            f"the network does not beat the trigram by {MIN_GAIN_BITS:g} bits, so the "
            f"{self.ngram.name} plays: {bits}"
        )


def learn(
    sources: Sources, seed: int = 0, on_progress: ProgressCallback = ignore_progress
) -> DreamModel:
    """Return what is learned of films: the last fifth of each is held out to judge it.

    Raises
    ------
    DreamError
        There is no sound, or only silence.
    """
    levels = [frame_levels(film.mono) for film in sources.films]
    splits = [split_film(len(each)) for each in levels]
    parts = [each[: split.learned] for each, split in zip(levels, splits, strict=True)]
    if sum(map(len, parts)) < token_count(1.0):
        raise DreamError("got less than a second of sound, expected more; give longer films")
    try:
        codebook = fit_codebook(parts, seed=seed)
    except ValueError as error:
        raise DreamError(f"{error}; expected sound to dream of, give other films") from error
    films = tuple(
        LearnedFilm(film.name, film.digest, codebook.encode(each), split)
        for film, each, split in zip(sources.films, levels, splits, strict=True)
    )
    held_out = held_out_parts([film.tokens for film in films], splits)
    learned, codes = [film.learned for film in films], len(codebook)
    if not held_out:
        trigram, bigram = (CountedModel(order, "witten-bell", None) for order in (MAX_ORDER, 2))
        return DreamModel(films, codebook, trigram, bigram, None)
    choice = HeldOutChoice(learned, held_out, codes)
    if sources.seconds < MIN_SECONDS:
        return DreamModel(films, codebook, *choice.ngrams(), None)
    network, bits = train_network(
        learned, held_out, codes, codebook.centroids, seed, MAX_STEPS, on_progress
    )
    return DreamModel(films, codebook, *choice.ngrams(), network, choice.mixture(bits))
