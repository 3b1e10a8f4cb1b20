"""Dreaming: sound that goes on by itself in the style of films."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from frame2sound.api.parameters import ParameterError, one_of, output_suffix, whole_number
from frame2sound.api.records import Record

if TYPE_CHECKING:
    from frame2sound.progress import ProgressCallback

Sound = Literal["mosaic", "phases"]

SOUNDS = ("mosaic", "phases")

MAX_SECONDS, MAX_STAGES = 3600.0, 8

MIN_TEMPERATURE, MAX_TEMPERATURE = 0.05, 5.0

MIN_COPIED_SECONDS = 0.1


@dataclass(frozen=True)
class DreamedSound(Record):
    """A sound that goes on by itself.

    Attributes
    ----------
    path, sources : Path
        The sound, and the table of where every second came from.
    seconds : float
    sample_rate, channels : int
    played_by : str
        Such as ``network and bigram``, ``network`` or ``trigram``.
    bits : dict of str to float
        Bits a token on held-out sound, of the network, the trigram, the best n-gram, and ``both``:
        network and best n-gram together.
    films : dict of str to float
        The share of each film in the sound.
    copied_share : float
        What is copied a second or more at a time, as a share of what is not silent.
    longest_stretch_seconds : float
        Of what goes on in one film without a join.
    notes : tuple of str
        What plays, and why.
    """

    path: Path
    sources: Path
    seconds: float
    sample_rate: int
    channels: int
    played_by: str
    bits: dict[str, float]
    films: dict[str, float]
    copied_share: float
    longest_stretch_seconds: float
    notes: tuple[str, ...]

    def lines(self) -> list[str]:
        """Return a line for each file, and one for each note."""
        return [
            f"{self.path}  {self.seconds:.3f} s  {self.sample_rate} Hz  by the {self.played_by}",
            f"{self.sources}  where every second came from",
            f"  copied a second or more at a time: {100 * self.copied_share:.0f}%",
            *(f"  {note}" for note in self.notes),
        ]

    def to_dict(self) -> dict[str, Any]:
        """Return the result as plain values."""
        plain = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return plain | {
            "path": str(self.path), "sources": str(self.sources), "notes": list(self.notes)
        }  # fmt: skip


def dream(
    library: str | PathLike[str],
    out: str | PathLike[str],
    *,
    seconds: float = 60.0,
    start: str | PathLike[str] | None = None,
    temperature: float = 1.0,
    style: Mapping[str, float] | Iterable[str] | None = None,
    most_copied: float | None = None,
    stages: int = 1,
    sound: Sound = "mosaic",
    model: str | PathLike[str] | None = None,
    save_model: str | PathLike[str] | None = None,
    seed: int = 0,
    overwrite: bool = False,
    progress: ProgressCallback | bool | None = None,
) -> DreamedSound:
    """Learn the sound of films, and let it go on by itself.

    Parameters
    ----------
    library : str or path
        A library, a folder of sounds and films, or one sound or film.
    out : str or path
        A ``.wav`` to write. Beside it, ``-sources.csv`` says where every second came from.
    seconds : float
        Length of the dream.
    start : str or path, optional
        A sound or film from whose end it goes on; by default it begins from nothing.
    temperature : float
        Below 1 more predictable, which ends in loops; above 1 less.
    style : mapping or list of str, optional
        Weights of films, as ``{"rain": 0.3, "steps": 0.7}`` or ``["rain=0.3", "steps=0.7"]``.
    most_copied : float, optional
        Refuse runs that are copied for longer than so many seconds.
    stages : int
        Let so many stages of the training, or as many as there are, play in turn, from the
        untrained to the best.
    sound : {"mosaic", "phases"}
        The films' own sound in short units; or their spectra with new phases, in mono.
    model : str or path, optional
        Use what ``save_model`` wrote for the same films, and learn nothing.
    save_model : str or path, optional
        Write what was learned to this ``.safetensors``.
    seed : int
        Of the training and of what is drawn.
    overwrite : bool
        Replace outputs that exist.
    progress : callable or bool, optional
        True shows a progress bar; see `ProgressCallback`.

    Raises
    ------
    ParameterError
        A parameter is out of range, or contradicts another.
    DreamError
        There is no sound, a film is unknown, or a file cannot be read or written.

    Examples
    --------
    >>> import frame2sound as f2s
    >>> f2s.dream("my-library", "dream.wav", most_copied=0.5)  # doctest: +SKIP
    """
    from frame2sound.atomic import check_writable, refuse_inputs
    from frame2sound.dreaming.dream import DreamChoice, Dreamer, parse_style, write_sound
    from frame2sound.dreaming.model import learn
    from frame2sound.dreaming.model_file import load_dream_model, save_dream_model
    from frame2sound.dreaming.sources import load_sources, read_seed
    from frame2sound.dreaming.stretches import write_stretches
    from frame2sound.dreaming.units import refuse_short_films
    from frame2sound.errors import DreamError
    from frame2sound.progress_bars import open_progress

    _check(seconds, temperature, most_copied, stages, seed)
    one_of("sound", sound, SOUNDS)
    if model is not None and save_model is not None:
        raise ParameterError("got `model` and `save_model`, expected one of them; leave out one")
    path = Path(out)
    output_suffix("out", path, (".wav",))
    if save_model is not None:
        output_suffix("save_model", Path(save_model), (".safetensors",))
    table = path.with_name(f"{path.stem}-sources.csv")
    for written in (path, table, *([] if save_model is None else [Path(save_model)])):
        check_writable(written, DreamError, overwrite=overwrite)
    given = [Path(each) for each in (library, start) if each is not None]
    inside = [each / path.name for each in given if each.is_dir()]
    refuse_inputs(path, [*given, *inside], DreamError)
    weights = None if style is None else _style_weights(style)
    with open_progress(progress) as on_progress:
        heard = load_sources(Path(library), on_progress)
        parsed = None if weights is None else parse_style(weights, heard.names)
        refuse_short_films(heard, None if parsed is None else parsed[0])
        begun = None if start is None else read_seed(Path(start))
        if model is None:
            learned = learn(heard, seed, on_progress)
        else:
            learned = load_dream_model(Path(model))
        if save_model is not None:
            save_dream_model(learned, Path(save_model), overwrite=overwrite)
        choice = DreamChoice(
            seconds, temperature, None if parsed is None else parsed[0],
            most_copied, stages, sound, seed,
        )  # fmt: skip
        dreamer = Dreamer(learned, heard)
        dreamt = dreamer.dream(choice, begun, on_progress)
        made, rate = dreamer.sound(dreamt, choice), dreamer.sample_rate(choice)
        write_stretches(dreamt.stretches, table, overwrite=overwrite)
        write_sound(made, rate, path, overwrite=overwrite)
        copied = dreamer.copied_share(made, rate, on_progress)
    notes = [learned.verdict()]
    if parsed is not None and parsed[1]:
        notes.append("the weights of the style did not add to 1; they were scaled")
    if heard.seconds < heard.total_seconds - 1:
        notes.append(
            f"of {heard.total_seconds / 3600:.1f} hours one is used, the beginning of each film"
        )
    if len(dreamt.stages) < stages:
        notes.append(f"{len(dreamt.stages)} stages play, as there are no more")
    lengths = [each.end_seconds - each.start_seconds for each in dreamt.stretches]
    shares = dict.fromkeys(heard.names, 0.0)
    for each, length in zip(dreamt.stretches, lengths, strict=True):
        shares[each.film] += length / sum(lengths)
    bits = {learned.ngram.name: learned.ngram.bits, "trigram": learned.trigram.bits}
    if learned.mixture is not None:
        bits |= {"network": learned.mixture.network_bits, "both": learned.mixture.bits}
    return DreamedSound(
        path, table, len(made) / rate, rate, 1 if made.ndim == 1 else 2, learned.name,
        {name: value for name, value in bits.items() if value is not None},
        shares, copied, max(lengths), tuple(notes),
    )  # fmt: skip


def _check(
    seconds: float, temperature: float, most_copied: float | None, stages: int, seed: int
) -> None:
    for name, value, low, high in (
        ("seconds", seconds, 1.0, MAX_SECONDS),
        ("temperature", temperature, MIN_TEMPERATURE, MAX_TEMPERATURE),
        ("stages", stages, 1, MAX_STAGES),
    ):
        if not low <= value <= high:
            raise ParameterError(f"got `{name}={value:g}`, expected {low:g} to {high:g}")
    if most_copied is not None and not MIN_COPIED_SECONDS <= most_copied < math.inf:
        raise ParameterError(
            f"got `most_copied={most_copied:g}`, expected {MIN_COPIED_SECONDS:g} s or more"
        )
    whole_number("seed", seed, 0)


def _style_weights(style: Mapping[str, float] | Iterable[str]) -> dict[str, float]:
    """Return the weight of each named film; a name may hold signs of equality itself."""
    if isinstance(style, Mapping):
        return dict(style)
    if isinstance(style, str):
        raise ParameterError(f"got `style={style}`, expected a list of texts: [{style!r}]")
    weights: dict[str, float] = {}
    for text in style:
        name, _, number = text.rpartition("=")
        try:
            weights[name] = weights.get(name, 0.0) + float(number)
        except ValueError as error:
            raise ParameterError(
                f"got `style={text}`, expected FILM=WEIGHT, as rain=0.3"
            ) from error
    return weights
