"""Drawing live: a playing file or the sound card's input, in a page, as it sounds."""

from __future__ import annotations

import math
from collections.abc import Callable
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

from frame2sound.api.live_drawing_options import LiveDrawingOptions
from frame2sound.api.live_drawing_records import LiveDrawingResult
from frame2sound.api.live_options import Audio
from frame2sound.api.parameters import FrameRate, frame_rate
from frame2sound.api.sound_drawing import moving_drawing, read_pair
from frame2sound.errors import SynaesthesiaError

if TYPE_CHECKING:
    from frame2sound.progress import ProgressCallback
    from frame2sound.synaesthesia.live_drawing import Listener
    from frame2sound.synaesthesia.pair import Pair


def draw_live(
    sound: str | PathLike[str] | None = None,
    *,
    pair: Pair | str | PathLike[str],
    fps: FrameRate = 30,
    voices: int = 1,
    smoothing_seconds: float = 0.1,
    audio: Audio = "auto",
    offline: bool = False,
    max_seconds: float | None = None,
    record: str | PathLike[str] | None = None,
    report: str | PathLike[str] | None = None,
    overwrite: bool = False,
    port: int | None = None,
    browser: bool = True,
    on_ready: Callable[[str], None] = print,
    on_drawing: Listener | None = None,
    progress: ProgressCallback | bool | None = None,
) -> LiveDrawingResult:
    """Draw a sound while it sounds: each frame is what the last second looks like.

    A page in the browser, on this computer alone, shows the strokes; it can play the sound of a
    file in time with them. A file begins when the page is open. It ends with the file, after
    ``max_seconds``, or with Ctrl-C.

    Parameters
    ----------
    sound : str or path, optional
        A sound file or a film with sound; without, what comes into the sound card is drawn.
    pair : Pair, str or path
        Networks that `train_pair` returned, or their file.
    fps : int, float, str or Fraction
        Frames per second, 1 to 120.
    voices : int
        Bands of pitch that are drawn as a stroke each, 1 to 12.
    smoothing_seconds : float
        Time constant of the smoothing, 0 to 5.
    audio : {"auto", "jack", "portaudio"}
        How the sound card is reached: ``auto`` is JACK if it runs, else PortAudio.
    offline : bool
        Draw a file as fast as it can be computed, without a page.
    max_seconds : float, optional
        End after so much sound.
    record : str or path, optional
        A new folder, for an SVG a frame.
    report : str or path, optional
        JSON file for what was counted: `LiveDrawingResult.to_dict`.
    overwrite : bool
        Replace a report that exists.
    port : int, optional
        Of the page; by default 8321, or another if that is in use.
    browser : bool
        Open the page in the browser.
    on_ready : callable
        Takes the page's address, which opens it once; later, each new one.
    on_drawing : callable, optional
        Takes each drawing, a `LiveStrokes`, as soon as it is there.
    progress : callable or bool, optional
        True shows a progress bar; see `ProgressCallback`.

    Returns
    -------
    LiveDrawingResult

    Raises
    ------
    ParameterError
        A parameter is out of range, or does nothing.
    SynaesthesiaError, CarrierError
        The pair or the sound cannot be read, or an output exists or cannot be written.
    SoundtrackError
        There is no JACK and no sound card.
    StudioError
        The port is in use.
    MissingPackageError
        The extra ``studio`` is not installed.

    Examples
    --------
    >>> import frame2sound as f2s
    >>> f2s.draw_live("bells.wav", pair="pair.safetensors")  # doctest: +SKIP
    """
    from frame2sound.api.live_drawing_run import run_live_drawing
    from frame2sound.progress_bars import open_progress

    options = LiveDrawingOptions(
        sound=None if sound is None else Path(sound),
        fps=frame_rate("fps", fps),
        audio=audio,
        offline=offline,
        max_seconds=math.inf if max_seconds is None else max_seconds,
        record=None if record is None else Path(record),
        report=None if report is None else Path(report),
        overwrite=overwrite,
        port=port,
        browser=browser,
        on_ready=on_ready,
    )
    options.check()
    networks = read_pair(pair)
    if networks.recipe.kind == "raster":
        raise SynaesthesiaError(
            "got a pair that draws pictures of pixels, expected one that draws strokes; "
            "train one with the recipe strokes"
        )
    drawing = moving_drawing(networks, float(options.fps), voices, smoothing_seconds)
    with open_progress(progress) as on_progress:
        return run_live_drawing(options, drawing, voices, on_drawing, on_progress)
