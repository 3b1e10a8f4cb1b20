"""The settings of a recipe and their ranges: clock, input, network, target and training."""

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
"""Maximum number of weights between hidden layers; more would not fit in most machines' memory."""

Width = Annotated[int, Meta(ge=1, le=65536)]


class Config(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=False):
    """A part of a recipe: an unknown key or a value out of range is an error."""


class ClockConfig(Config, frozen=True):
    """The brain's frame rate (exact, such as "30000/1001") and sample rate in Hz."""

    fps: Fraction = Fraction(30)
    sample_rate: Annotated[int, Meta(ge=100, le=384_000)] = 22050


class _FrameInput(Config, frozen=True):
    """The frames that enter a network for one prediction.

    With ``colour``, the frames are in colour, which the library must have; else grey. ``history``
    is the number of past frames, at the brain's frame rate. With ``motion``, the difference to the
    previous frame enters too. Before a film's first frame, that frame is repeated. With
    ``match_ground``, a film that is drawn on a plain ground enters as light figures on black;
    other films, and films in colour, enter as they are.
    """

    colour: bool = False
    history: Annotated[int, Meta(ge=0, le=64)] = 0
    motion: bool = False
    match_ground: bool = False

    @property
    def past_frames(self) -> int:
        """The number of past frames that a prediction needs."""
        return max(self.history, int(self.motion))

    @property
    def maps_ground(self) -> bool:
        """Whether films are mapped to light figures on black: never in colour."""
        return self.match_ground and not self.colour

    @property
    def still_frames(self) -> int:
        """The number of pictures that enter, without the difference."""
        return 1 + self.history


class Pixels(_FrameInput, frozen=True, tag_field="kind", tag="pixels"):
    """The picture enters as its 4096 grey values, 0 (black) to 1 (white)."""


class Eigenframes(_FrameInput, frozen=True, tag_field="kind", tag="eigenframes"):
    """The picture enters as the library's first ``count`` principal components, whitened.

    ``floor`` times the mean variance is added to each component's variance before whitening, so
    that noise is not amplified. With ``profiles``, the mean and maximum brightness of rows and
    columns enter too, at several resolutions: they tell the height or width of an object even at a
    place where the library never shows it. Motion has its own components. ``of`` chooses the
    components of pictures, or of their Fourier transform as in `Fft2`, which has no profiles.
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
    """Feed-forward layers with the widths ``hidden``, first to last.

    ``normalise`` adds LayerNorm before each activation, so that a picture unlike the training
    pictures is not louder than all of them. ``dropout`` is the dropout probability. With
    ``residual``, each layer as wide as the one before has a residual connection (He et al. 2016).
    ``brightness_branch`` is the width of a small network beside the layers that sees only the
    overall brightness and sets a share of the loudness, if held-out films show that this helps; 0
    for none.
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
    """A feed-forward network."""


class Rnn(_Layered, frozen=True, tag_field="kind", tag="rnn"):
    """Feed-forward layers, then recurrent layers with the widths ``memory``.

    The output of the feed-forward layers also bypasses the recurrent ones. With ``feedback_units``
    above 0, so many numbers computed from its own last output enter too. Training starts with the
    true outputs and uses the network's own more and more (scheduled sampling, Bengio et al. 2015).
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

    ``layers`` convolutions of ``channels`` with ``kernel`` taps, each with twice the dilation of
    the one before, see ``(kernel - 1) * (2 ** layers - 1)`` past frames.
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
    """The samples of a frame, and ``lead_seconds`` before it, over which frames cross-fade.

    ``scaling`` defines the numbers that enter the loss: ``rms`` divides samples by the library's
    root mean square; ``half`` maps [-1, 1] to [0, 1] with silence at 0.5, as Hindle did in 2015.
    """

    lead_seconds: Annotated[float, Meta(ge=0, le=1)] = 0.0
    scaling: Literal["rms", "half"] = "rms"


class _Windowed(Config, frozen=True):
    """Spectra of ``window_length`` samples under a ``window``, ``windows_per_frame`` per frame.

    The frame is divided into as many equal parts, and each window is centred on one of them.
    """

    window_length: Annotated[int, Meta(ge=16, le=65536, multiple_of=2)] = 1024
    window: Literal["hann", "hamming"] = "hann"
    windows_per_frame: Annotated[int, Meta(ge=1, le=64)] = 1


class StftReal(_Windowed, frozen=True, tag_field="kind", tag="stft-real"):
    """The real part of the short-time Fourier transform; the largest is scaled to 1."""

    windows_per_frame: Literal[1] = 1


class StftMag(_Windowed, frozen=True, tag_field="kind", tag="stft-mag"):
    """The magnitude of the short-time Fourier transform; the largest is scaled to 1."""


class StftBoth(_Windowed, frozen=True, tag_field="kind", tag="stft-both"):
    """The magnitude, the largest scaled to 1, and the phase in half turns."""


class LogMag(_Windowed, frozen=True, tag_field="kind", tag="log-mag"):
    """The logarithm of the magnitude, from ``floor_db`` below the library's level up.

    Silence is 0; 1 is a factor of ten above the floor.
    """

    windows_per_frame: Annotated[int, Meta(ge=1, le=64)] = 4
    floor_db: Annotated[float, Meta(ge=-140, le=-20)] = -80.0


class Mel(LogMag, frozen=True, tag_field="kind", tag="mel"):
    """The logarithm of the magnitude in ``bands``, evenly spaced on the mel scale."""

    bands: Annotated[int, Meta(ge=8, le=512)] = 96


TargetConfig = Pcm | StftReal | StftMag | StftBoth | LogMag | Mel
"""The targets that a recipe may name."""


Loudness = Literal["film", "equal"]
"""Whether films are learned as loud as they are, or brought to one loudness."""


class EventsConfig(Config, frozen=True):
    """Who decides when something sounds, and how loud.

    With the ``head`` ``motion``, regressions from the motion of the picture are fitted beside the
    network. ``decide`` chooses which of the two speaks: by their scores on ``held-out`` film, or
    always the ``motion`` or the ``network``. Where it is always the motion, the sound between
    events is the louder the more moves.
    """

    head: Literal["none", "motion"] = "none"
    decide: Literal["held-out", "motion", "network"] = "held-out"


class TrainingConfig(Config, frozen=True):
    """The training settings; the defaults suit films of minutes to hours.

    ``loss`` is ``mse``, the mean squared error of the network's output; ``log-magnitude``, the mean
    absolute error of log magnitudes; or ``multi-resolution``, the same for short-time Fourier
    transforms with windows of several lengths, for targets that are waveforms.

    Training ends after ``epochs`` or after ``steps``, whichever comes first. ``batch`` is in pairs,
    and smaller if an epoch would have fewer than ``min_steps`` steps. ``warmup`` is the share of
    all steps in which the learning rate rises; then it stays ``constant``, or falls to 0 along a
    ``cosine`` or a straight line, as ``schedule`` says. ``patience`` is the number of epochs
    without a better held-out loss after which training stops; 0 for no limit. ``held_out`` is the
    share of the library that is not trained on: blocks of ``block_seconds`` with ``guard_seconds``
    dropped on both sides, or whole films, as ``split`` says.

    ``loudness`` is ``film`` to learn each film as loud as it is, or ``equal`` to bring each to -23
    LUFS first, so that quiet and loud films teach alike and soundtracks are about as loud.

    Augmentation: ``noise`` is the standard deviation of noise that is added to the features;
    ``overlay`` is the share of pairs to which another pair is added: of the two pictures, the
    lighter pixels, and of the two sounds, the sum. Each pair keeps its overlay for
    ``overlay_epochs`` epochs, in which the mixture is encoded only once; with 1, and for recurrent
    networks, overlays are drawn for every step.

    ``pretraining`` is the number of epochs for which each hidden layer is first trained by itself,
    greedily, on top of those before it (Bengio et al. 2007). Recurrent networks are trained on
    ``chunk`` successive frames at a time, of as many parallel streams as make a ``batch``.
    """

    loss: Literal["mse", "log-magnitude", "multi-resolution"] = "mse"
    optimiser: Literal["adamw", "nag"] = "adamw"
    rate: Positive = 1e-3
    momentum: Share = 0.9
    weight_decay: NonNegative = 1e-4
    noise: NonNegative = 0.0
    overlay: Share = 0.0
    overlay_epochs: Count = 1
    pretraining: Annotated[int, Meta(ge=0, le=100_000)] = 0
    batch: Count = 512
    min_steps: Count = 16
    chunk: Annotated[int, Meta(ge=1, le=4096)] = 32
    epochs: Annotated[int, Meta(ge=1, le=1_000_000)] = 150
    steps: Count = 6000
    schedule: Literal["cosine", "linear", "constant"] = "cosine"
    warmup: Share = 0.05
    patience: Annotated[int, Meta(ge=0, le=10**9)] = 25
    split: Literal["blocks", "films"] = "blocks"
    held_out: Share = 0.1
    block_seconds: Positive = 4.0
    guard_seconds: NonNegative = 0.5
    loudness: Loudness = "film"
