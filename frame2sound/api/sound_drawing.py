"""Drawing sounds and singing drawings, with a pair of networks that was trained."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from frame2sound.api.parameters import (
    FrameRate,
    ParameterError,
    Seconds,
    frame_rate,
    one_of,
    seconds,
)
from frame2sound.api.records import Record
from frame2sound.atomic import check_writable, refuse_inputs
from frame2sound.errors import SynaesthesiaError

if TYPE_CHECKING:
    from frame2sound.progress import ProgressCallback
    from frame2sound.synaesthesia.moving_drawing import MovingDrawing
    from frame2sound.synaesthesia.pair import Pair

Singing = Literal["mosaic", "phase"]

SINGING = ("mosaic", "phase")

STILLS = (".png", ".svg")

EMPTY_NOTE = "the page is empty: no sound is louder than -66 dBFS"

MAX_SIZE, MAX_VOICES, MAX_SMOOTHING = 4096, 12, 5.0


@dataclass(frozen=True)
class SoundDrawing(Record):
    """What was drawn to a sound: a film, a still or a folder of stills.

    ``strokes`` is 0 if pictures were drawn.
    """

    path: Path
    frames: int
    strokes: int
    seconds: float
    notes: tuple[str, ...] = ()

    def lines(self) -> list[str]:
        """Return a line, and one for each note."""
        frames = "1 drawing" if self.frames == 1 else f"{self.frames} drawings"
        strokes = "1 stroke" if self.strokes == 1 else f"{self.strokes} strokes"
        of_strokes = f" of {strokes}" if self.strokes else ""
        line = f"{self.path}  {frames}{of_strokes}  {self.seconds:.3f} s"
        return [line, *(f"  note: {note}" for note in self.notes)]

    def to_dict(self) -> dict[str, Any]:
        """Return the result as plain values."""
        return asdict(self) | {"path": str(self.path), "notes": list(self.notes)}


@dataclass(frozen=True)
class SungDrawing(Record):
    """The sound of a drawing."""

    path: Path
    drawings: int
    sample_rate: int
    seconds: float

    def lines(self) -> list[str]:
        """Return one line."""
        drawings = "1 drawing" if self.drawings == 1 else f"{self.drawings} drawings"
        return [f"{self.path}  {self.seconds:.3f} s  {self.sample_rate} Hz  from {drawings}"]

    def to_dict(self) -> dict[str, Any]:
        """Return the result as plain values."""
        return asdict(self) | {"path": str(self.path)}


def draw_sound(
    sounds: str | PathLike[str] | Sequence[str | PathLike[str]],
    out: str | PathLike[str],
    *,
    pair: Pair | str | PathLike[str],
    fps: FrameRate = 25,
    size: int = 512,
    voices: int = 1,
    smoothing_seconds: float = 0.1,
    at_seconds: Seconds | None = None,
    overwrite: bool = False,
    progress: ProgressCallback | bool | None = None,
) -> SoundDrawing:
    """Draw a sound: each frame is what the second around it looks like.

    Parameters
    ----------
    sounds : str, path or sequence of them
        A sound file or a film with sound; several, such as the stems of a mix, are laid over each
        other, a stroke each, and sound together.
    out : str or path
        A film with the sound (``.mp4``, ``.mkv``, ``.mov``); a still of one second (``.svg``,
        ``.png``); or a new folder, for an SVG a frame. Pairs of the raster kind draw no SVG.
    pair : Pair, str or path
        Networks that `train_pair` returned, or their file.
    fps : int, float, str or Fraction
        Frames per second.
    size : int
        Width and height in pixels, even, 32 to 4096; SVGs have none.
    voices : int
        Bands of pitch that are drawn as a stroke each, 1 to 12.
    smoothing_seconds : float
        Time constant of the smoothing of films, 0 to 5.
    at_seconds : int, float, str or Fraction, optional
        The middle of the second that a still shows; by default of the loudest.
    overwrite : bool
        Replace a file that exists.
    progress : callable or bool, optional
        True shows a progress bar; see `ProgressCallback`.

    Returns
    -------
    SoundDrawing

    Raises
    ------
    ParameterError
        A parameter is out of range.
    SynaesthesiaError, SoundtrackError
        The pair or a sound cannot be read, or the output exists or cannot be written.

    Examples
    --------
    >>> import frame2sound as f2s
    >>> f2s.draw_sound("bells.wav", "bells.mp4", pair="pair.safetensors")  # doctest: +SKIP
    """
    from frame2sound.progress_bars import open_progress
    from frame2sound.synaesthesia.drawing_film import Voices, write_film
    from frame2sound.synaesthesia.drawing_stills import write_still, write_stills
    from frame2sound.threads import one_thread_per_operation

    target, rate = Path(out), frame_rate("fps", fps)
    paths = [Path(each) for each in _as_list(sounds)]
    if target.suffix:
        check_writable(target, SynaesthesiaError, overwrite=overwrite)
        refuse_inputs(target, paths, SynaesthesiaError)
    if size % 2 or not 32 <= size <= MAX_SIZE:
        raise ParameterError(f"got `size={size}`, expected an even number from 32 to {MAX_SIZE}")
    networks = read_pair(pair)
    is_raster = networks.recipe.kind == "raster"
    if is_raster and target.suffix.lower() in ("", ".svg"):
        raise SynaesthesiaError(
            f"got {target.name}, but this pair draws pictures of pixels, which no SVG can hold; "
            "write a .png or a film such as .mp4"
        )
    is_still = target.suffix.lower() in STILLS
    if at_seconds is not None and not is_still:
        raise ParameterError(f"got `at_seconds` for {target.name}, expected a still, .svg or .png")
    at = None if at_seconds is None else seconds("at", at_seconds)
    smoothing = 0.0 if is_still else smoothing_seconds
    drawing = moving_drawing(networks, float(rate), voices, smoothing)
    opened = Voices.open(paths)
    with open_progress(progress) as on_progress, one_thread_per_operation():
        if is_still:
            frames = 1
            write_still(target, opened, drawing, at, size, overwrite=overwrite)
        elif target.suffix:
            frames = write_film(
                target, opened, drawing, rate, size, overwrite=overwrite, on_progress=on_progress
            )
        else:
            frames = write_stills(target, opened, drawing, rate, on_progress)
    strokes = 0 if is_raster else voices * len(opened.sounds)
    notes = () if drawing.has_ink else (EMPTY_NOTE,)
    return SoundDrawing(target, frames, strokes, float(opened.seconds), notes)


def moving_drawing(
    pair: Pair | str | PathLike[str], fps: float, voices: int, smoothing_seconds: float
) -> MovingDrawing:
    """Return what draws windows of one second, one after the other; see `draw_sound`."""
    from frame2sound.synaesthesia.moving_drawing import MovingDrawing

    if not 1 <= voices <= MAX_VOICES:
        raise ParameterError(f"got `voices={voices}`, expected 1 to {MAX_VOICES}")
    if not 0 <= smoothing_seconds <= MAX_SMOOTHING:
        raise ParameterError(
            f"got `smoothing_seconds={smoothing_seconds}`, expected 0 to {MAX_SMOOTHING:g} s"
        )
    networks = read_pair(pair)

    def draw_spectra(spectra: Any) -> Any:
        return networks.draw_components(networks.components.transform(spectra))

    return MovingDrawing(draw_spectra, fps, voices, smoothing_seconds)


def sing_drawing(
    drawing: str | PathLike[str],
    out: str | PathLike[str],
    *,
    pair: Pair | str | PathLike[str],
    by: Singing = "mosaic",
    phase: str | None = None,
    seed: int = 0,
    overwrite: bool = False,
    progress: ProgressCallback | bool | None = None,
) -> SungDrawing:
    """Make the sound of a drawing, of drawings one after the other, or of a drawn film.

    Parameters
    ----------
    drawing : str or path
        An SVG or a picture, which sounds for a second; a folder of them; or a film, which sounds as
        long as it is.
    out : str or path
        A ``.wav`` to write.
    pair : Pair, str or path
        Networks that `train_pair` returned, or their file.
    by : {"mosaic", "phase"}
        ``mosaic`` plays the learned sounds that are nearest; ``phase`` finds phases for the spectra
        that are heard in the drawing.
    phase : str, optional
        Method for ``phase``: ``"phase-vocoder"``, ``"griffin-lim"``, ``"pghi"``, ``"random"``.
    seed : int
        Seed of random phases.
    overwrite : bool
        Replace an output that exists.
    progress : callable or bool, optional
        True shows a progress bar; see `ProgressCallback`.

    Returns
    -------
    SungDrawing

    Raises
    ------
    ParameterError
        A parameter is unknown, or does nothing.
    SynaesthesiaError
        The pair or the drawing cannot be read, or the output exists or cannot be written.

    Examples
    --------
    >>> import frame2sound as f2s
    >>> f2s.sing_drawing("squiggle.svg", "squiggle.wav", pair="pair.safetensors")  # doctest: +SKIP
    """
    from frame2sound.progress_bars import open_progress
    from frame2sound.sound.phase import DEFAULT_PHASE, FROM_AUDIO_NAMES, PHASE_NAMES
    from frame2sound.synaesthesia.heard_drawings import hear_drawings
    from frame2sound.synaesthesia.singing import sing, write_sung
    from frame2sound.synaesthesia.sound_windows import RATE
    from frame2sound.threads import one_thread_per_operation

    one_of("by", by, SINGING)
    one_of("phase", phase, [name for name in PHASE_NAMES if name not in FROM_AUDIO_NAMES])
    if phase is not None and by != "phase":
        raise ParameterError(f"got `phase={phase}` with `by={by}`, where it does nothing")
    networks, path, target = read_pair(pair), Path(drawing), new_file(out, ".wav", overwrite)
    refuse_inputs(target, [path], SynaesthesiaError)
    with open_progress(progress) as on_progress, one_thread_per_operation():
        heard, count = hear_drawings(networks, path, on_progress)
        method = (phase or DEFAULT_PHASE) if by == "phase" else None
        sound = sing(networks, heard, method, seed)
        write_sung(target, sound, overwrite=overwrite)
    return SungDrawing(target, count, RATE, len(sound) / RATE)


def read_pair(pair: Pair | str | PathLike[str]) -> Pair:
    """Return a pair, read from its file if a path is given."""
    from frame2sound.synaesthesia.pair import Pair
    from frame2sound.synaesthesia.pair_file import load_pair

    return pair if isinstance(pair, Pair) else load_pair(Path(pair))


def new_file(out: str | PathLike[str], suffix: str, overwrite: bool) -> Path:
    """Return the path of an output; raise `SynaesthesiaError` before the work if it cannot be."""
    path = Path(out)
    if path.suffix.lower() != suffix:
        raise SynaesthesiaError(f"got {path.name}, expected a name that ends in {suffix}")
    check_writable(path, SynaesthesiaError, overwrite=overwrite)
    return path


def _as_list(sounds: Any) -> list[Any]:
    return [sounds] if isinstance(sounds, str | PathLike) else list(sounds)
