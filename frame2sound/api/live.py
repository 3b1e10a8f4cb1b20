"""Live playing: a camera, a region of the screen or a playing film to sound, as it is seen."""

from __future__ import annotations

from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

from frame2sound.api.live_options import Audio, LiveOptions
from frame2sound.api.live_records import LiveResult
from frame2sound.api.parameters import Settings, options_of
from frame2sound.brain.pretrained import DEFAULT_BRAIN

if TYPE_CHECKING:
    from frame2sound.brain.brain import Brain
    from frame2sound.brain.corpus import Corpus
    from frame2sound.library.store import Library
    from frame2sound.progress import ProgressCallback


def play_live(
    film: str | PathLike[str] | None = None,
    *,
    brain: Brain | str | PathLike[str] = DEFAULT_BRAIN,
    corpus: Library | Corpus | str | PathLike[str] | None = None,
    camera: int | str | None = None,
    screen: str | None = None,
    fps: float | None = None,
    loop: bool = False,
    offline: bool = False,
    audio: Audio = "auto",
    delay_ms: float = 20.0,
    max_seconds: float | None = None,
    controls: Settings | None = None,
    seed: int = 0,
    osc_in: str | None = None,
    osc_out: str | None = None,
    midi_out: str | None = None,
    record: str | PathLike[str] | None = None,
    record_picture: str | PathLike[str] | None = None,
    events_out: str | PathLike[str] | None = None,
    report: str | PathLike[str] | None = None,
    overwrite: bool = False,
    progress: ProgressCallback | bool | None = None,
) -> LiveResult:
    """Play a film, a camera or a region of the screen as sound, while it is seen.

    Only frames that have arrived count. The motion head's events play whole sounds of the corpus;
    between them, grains of the corpus follow the brain's spectra. It ends with the source, after
    ``max_seconds``, or with Ctrl-C.

    Parameters
    ----------
    film : path, optional
        One of ``film``, ``camera`` and ``screen`` is needed.
    brain : Brain, path or str
    corpus : Library, Corpus, or path of a library, optional
        The sound that is played; by default the brain's.
    camera : int or str, optional
        The number of a camera, from 0, or its device.
    screen : str, optional
        ``"LEFT,TOP,WIDTHxHEIGHT"`` in pixels, or the number of a screen, from 1.
    fps : float, optional
        Frames per second of the camera or the screen, 1 to 240.
    loop : bool
        Play the film again and again.
    offline : bool
        Play a film in simulated time, as fast as it can be computed; no sound card is needed.
    audio : {"auto", "jack", "portaudio"}
        Where pyo plays to: ``auto`` is JACK if it runs, else PortAudio.
    delay_ms : float
        From a frame's arrival to the sound of its event, 5.34 to 1000.
    max_seconds : float, optional
    controls : mapping or list of str, optional
        Where the controls stand at first; see `frame2sound.live.controls.Controls`.
    seed : int
    osc_in, osc_out : str, optional
        ``"[HOST:]PORT"`` at which OSC messages are received, and to which they are sent.
    midi_out : str, optional
        A MIDI port, or ``"virtual"`` for a new one.
    record : path, optional
        WAV file for what is heard.
    record_picture : path, optional
        Film without sound, for the pictures of a camera or a screen.
    events_out : path, optional
        JSON file for the events, at the times at which they sound.
    report : path, optional
        JSON file for what was counted: `LiveResult.to_dict`.
    overwrite : bool
        Replace outputs that exist.
    progress : callable or bool, optional

    Raises
    ------
    ParameterError, SoundtrackError
        An option is out of range or does nothing; there is no camera, screen, JACK or sound card; a
        port is in use; or an output cannot be written.
    FilmError, BrainError
        The film or the brain cannot be read.
    MissingPackageError
        An option needs a package that is not installed.
    """
    from frame2sound.api.live_performance import Performance
    from frame2sound.progress_bars import open_progress

    paths = {"record": record, "record_picture": record_picture}
    paths |= {"events_out": events_out, "report": report}
    given = {**locals(), **{name: _path(path) for name, path in paths.items()}}
    options = options_of(LiveOptions, given)
    path = _path(film)
    options.check_source(path)
    options.check_outputs(path)
    with open_progress(progress) as on_progress:
        return Performance(path, brain, corpus, options).run(on_progress)


def _path(path: str | PathLike[str] | None) -> Path | None:
    return None if path is None else Path(path)
