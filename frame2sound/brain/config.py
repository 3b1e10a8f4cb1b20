"""Ingredients of a recipe: its clock, inputs, networks, targets and training, with their ranges."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from typing import Annotated, Literal

from msgspec import Meta, Struct

Positive = Annotated[float, Meta(gt=0, le=1e9)]
NonNegative = Annotated[float, Meta(ge=0, le=1e9)]
Count = Annotated[int, Meta(ge=1, le=10**9)]
Share = Annotated[float, Meta(ge=0, lt=1)]
MAX_WEIGHTS = 500_000_000
"""Between hidden layers; more would not fit in most machines' memory."""

Width = Annotated[int, Meta(ge=1, le=65536)]


class Config(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=False):
    """A part of a recipe: an unknown key or a value out of range is an error."""


class ClockConfig(Config, frozen=True):
    """The brain's own frame rate (exact, such as "30000/1001") and sample rate in Hz."""

    fps: Fraction = Fraction(30)
    sample_rate: Annotated[int, Meta(ge=100, le=384_000)] = 22050


class _FrameInput(Config, frozen=True):
    """What of the film is seen at each moment.

    In ``colour``, where the library has it, or in grey; with as many past frames as ``history``
    says, at the brain's frame rate; and with ``motion``, the difference to the frame before. At a
    film's beginning, its first frame stands for those before it.
    """

    colour: bool = False
    history: Annotated[int, Meta(ge=0, le=64)] = 0
    motion: bool = False

    @property
    def past_frames(self) -> int:
        """How many frames before its own a moment needs."""
        return max(self.history, int(self.motion))

    @property
    def still_frames(self) -> int:
        """How many pictures enter as they are."""
        return 1 + self.history


class Pixels(_FrameInput, frozen=True, tag_field="kind", tag="pixels"):
    """The picture enters as its 4096 grey values, 0 (black) to 1 (white)."""


class Eigenframes(_FrameInput, frozen=True, tag_field="kind", tag="eigenframes"):
    """The picture enters as the library's first ``count`` principal components, whitened.

    Components whose variance is below ``floor`` times the mean are not brought up to one, so that
    noise is not taken for picture. With ``profiles``, it also enters as how bright its rows and its
    columns are, in the mean and at most, fine and coarse: where a thing is seen that the library
    has only elsewhere, they still tell how high it is, or how wide. Motion has components of its
    own. They may be those ``of`` the picture's Fourier transform, as `Fft2` gives it, which has no
    profiles.
    """

    count: Annotated[int, Meta(ge=1, le=4096)] = 256
    floor: Positive = 10.0
    profiles: bool = True
    of: Literal["pictures", "fft2"] = "pictures"

    def __post_init__(self) -> None:
        if self.of == "fft2" and self.profiles:
            raise ValueError(
                "a Fourier transform has no profiles; use input.profiles=false with input.of=fft2"
            )


class Fft2(_FrameInput, frozen=True, tag_field="kind", tag="fft2"):
    """The picture enters as its two-dimensional Fourier transform: 64 x 33 complex numbers."""


InputConfig = Pixels | Eigenframes | Fft2
"""The inputs that a recipe may name."""


class _Layered(Config, frozen=True):
    """Feed-forward layers: their widths, first to last.

    ``normalise`` brings what enters each activation to mean 0 and variance 1 over the layer, so
    that a picture unlike all that was learned is not the loudest; ``dropout`` is the share of
    hidden values that is left out of each step of learning; with ``residual``, a layer as wide as
    the one before adds to it (He et al. 2016).
    """

    hidden: Annotated[tuple[Width, ...], Meta(max_length=64)]
    activation: Literal["relu", "logistic", "tanh"] = "relu"
    normalise: bool = False
    dropout: Share = 0.0
    residual: bool = False
    brightness_branch: Annotated[int, Meta(ge=0, le=4096)] = 0

    def __post_init__(self) -> None:
        _refuse_huge(sum(before * after for before, after in pairwise(self.hidden)))


class Mlp(_Layered, frozen=True, tag_field="kind", tag="mlp"):
    """A feed-forward network.

    ``glance`` is the width of a small network beside it that only sees how much light there is and
    may have a say in how loud it is, where films that were held out prefer it; 0 for none.
    """


class Rnn(_Layered, frozen=True, tag_field="kind", tag="rnn"):
    """Feed-forward layers, then layers that remember, one cell a width in ``memory``.

    What the feed-forward layers give also passes the memory by. With ``hears`` above 0, so many
    numbers of its own last output enter, too: it learns from the true ones at first, and from its
    own more and more (scheduled sampling, Bengio et al. 2015), since those are what it will hear.
    """

    memory: Annotated[tuple[Width, ...], Meta(min_length=1, max_length=16)] = (256,)
    cell: Literal["gru", "lstm"] = "gru"
    feedback_units: Annotated[int, Meta(ge=0, le=4096)] = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        widths = (*self.hidden[-1:], *self.memory)
        _refuse_huge(sum(4 * (before + after) * after for before, after in pairwise(widths)))


class Tcn(_Layered, frozen=True, tag_field="kind", tag="tcn"):
    """Feed-forward layers, then causal convolutions over time (Bai, Kolter and Koltun 2018).

    ``layers`` of ``channels``, each over ``kernel`` moments twice as far apart as the one before,
    so that it remembers ``(kernel - 1) * (2 ** layers - 1)`` frames.
    """

    channels: Width = 256
    kernel: Annotated[int, Meta(ge=2, le=64)] = 3
    layers: Annotated[int, Meta(ge=1, le=12)] = 4

    def __post_init__(self) -> None:
        super().__post_init__()
        entering = self.hidden[-1] if self.hidden else 0
        _refuse_huge((entering + self.layers * self.kernel * self.channels) * self.channels)


NetworkConfig = Mlp | Rnn | Tcn
"""The networks that a recipe may name."""


def _refuse_huge(weights: int) -> None:
    if weights > MAX_WEIGHTS:
        raise ValueError(f"hidden layers of {weights} weights, expected at most {MAX_WEIGHTS}")


class Pcm(Config, frozen=True, tag_field="kind", tag="pcm"):
    """The frame's own samples, and those of `lead_seconds` before it for the next to join on.

    ``scaling`` is how samples enter the loss: ``rms`` divides by the library's root mean square;
    ``half`` maps [-1, 1] to [0, 1] with silence at 0.5, as the ancestor did.
    """

    lead_seconds: Annotated[float, Meta(ge=0, le=1)] = 0.0
    scaling: Literal["rms", "half"] = "rms"


class _Windowed(Config, frozen=True):
    """``window_length`` samples under a ``window``, ``windows_per_frame`` times in each frame.

    The windows stand in the middle of the parts into which they divide the frame.
    """

    window_length: Annotated[int, Meta(ge=16, le=65536, multiple_of=2)] = 1024
    window: Literal["hann", "hamming"] = "hann"
    windows_per_frame: Annotated[int, Meta(ge=1, le=64)] = 1


class StftReal(_Windowed, frozen=True, tag_field="kind", tag="stft-real"):
    """The real part of the short-time Fourier transform; the largest is scaled to 1."""

    windows_per_frame: Literal[1] = 1


class StftMag(_Windowed, frozen=True, tag_field="kind", tag="stft-mag"):
    """Its magnitude, scaled likewise."""


class StftBoth(_Windowed, frozen=True, tag_field="kind", tag="stft-both"):
    """Its magnitude, scaled likewise, and its phase in half turns."""


class LogMag(_Windowed, frozen=True, tag_field="kind", tag="log-mag"):
    """The logarithm of its magnitude, down to ``floor_db`` below the library's level.

    Silence is 0, and 1 is a factor of ten above the floor.
    """

    windows_per_frame: Annotated[int, Meta(ge=1, le=64)] = 4
    floor_db: Annotated[float, Meta(ge=-140, le=-20)] = -80.0


class Mel(LogMag, frozen=True, tag_field="kind", tag="mel"):
    """The same of ``bands`` as wide as the ear's, evenly spaced on the mel scale."""

    bands: Annotated[int, Meta(ge=8, le=512)] = 96


TargetConfig = Pcm | StftReal | StftMag | StftBoth | LogMag | Mel
"""The targets that a recipe may name."""


class TrainingConfig(Config, frozen=True):
    """How the network is fitted; the defaults need no tuning for films of minutes to hours.

    ``loss`` is the mean squared error of what the network gives; ``log-magnitude``, the mean
    absolute error of log magnitudes; or ``multi-resolution``, that of short-time Fourier transforms
    with windows of several lengths, for targets that are waveforms.

    The library is gone through ``epochs`` times, but in no more than ``steps`` steps, so that hours
    of film are learned in fewer epochs; ``batch`` is of pairs, fewer where an epoch would have less
    than 16 steps. ``warmup`` is the share of all steps in which the rate rises; ``patience`` is how
    many epochs without a better held-out loss are borne, 0 for any number. ``held_out`` is the
    share of the library that is never learned from, in blocks of ``block_seconds`` with
    ``guard_seconds`` dropped on both sides, or by whole films.

    Two ways of learning more from little film: ``noise`` is the standard deviation of what is added
    to what enters the first layer that learns; ``overlay`` the share of pairs whose picture
    is laid over another one, lighter over darker, while the sounds of both are mixed.

    ``pretraining`` is how many epochs each hidden layer is trained for by itself, before all are
    trained together: greedily, on top of those before it (Bengio et al. 2007). Networks that
    remember learn ``chunk`` frames of a film at a time, and as many streams of film side by side as
    make a ``batch``.
    """

    loss: Literal["mse", "log-magnitude", "multi-resolution"] = "mse"
    optimiser: Literal["adamw", "nag"] = "adamw"
    rate: Positive = 1e-3
    momentum: Share = 0.9
    weight_decay: NonNegative = 1e-4
    noise: NonNegative = 0.0
    overlay: Share = 0.0
    pretraining: Annotated[int, Meta(ge=0, le=100_000)] = 0
    batch: Count = 512
    chunk: Annotated[int, Meta(ge=1, le=4096)] = 32
    epochs: Annotated[int, Meta(ge=1, le=1_000_000)] = 150
    steps: Count = 6000
    schedule: Literal["cosine", "constant"] = "cosine"
    warmup: Share = 0.05
    patience: Annotated[int, Meta(ge=0, le=10**9)] = 25
    split: Literal["blocks", "films"] = "blocks"
    held_out: Share = 0.1
    block_seconds: Positive = 4.0
    guard_seconds: NonNegative = 0.5
