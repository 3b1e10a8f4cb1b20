"""Short films of the held-out stretch, as the best brain so far sounds, while it is trained."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from frame2sound.atomic import atomic_write, write_error_message
from frame2sound.brain.brain import Brain
from frame2sound.brain.corpus import Corpus, CorpusMode
from frame2sound.comparison.report_media import write_video
from frame2sound.errors import Frame2SoundError, TrainingError
from frame2sound.film.decoding.probe import probe_streams
from frame2sound.film.encoding.containers import DELIVERY_SAMPLE_RATE, audio_codec_for
from frame2sound.film.encoding.muxer import mux
from frame2sound.library.corpus import build_corpus
from frame2sound.library.corpus_sound import SoundFormat, plain_format
from frame2sound.library.store import Library
from frame2sound.rendering.output.finishing import resample
from frame2sound.sound.limiter import Limiter
from frame2sound.studio.held_out_stretch import HeldOutStretch
from frame2sound.training.film_names import ORIGINAL, film_name, find_films
from frame2sound.training.trainer import Trainer

MAX_FILMS = 12
"""Older ones are deleted."""

MAX_SHARE = 0.1
"""Share of the time of training that the films may take, the first and the last excepted."""


class CheckpointFilms:
    """Writes a film for each new best epoch, while that takes little time; a `BestCallback`.

    What is learned stays the same to the bit. Films take at most `MAX_SHARE` of the time, the first
    and the last excepted, and the last `MAX_FILMS` are kept. The brain plays the mode that is its
    default; a mosaic has no sound that is held out. A film that cannot be written is left out.

    Parameters
    ----------
    folder : Path
        For `ORIGINAL` and the films of the epochs.
    library : Library
    corpus : {"carry", "point", "none"}
        Without a corpus the films are no mosaics, as the brain's soundtracks are none.
    on_note : callable, optional
        Takes a sentence if a film cannot be written.
    """

    def __init__(
        self,
        folder: Path,
        library: Library,
        corpus: CorpusMode,
        on_note: Callable[[str], None] | None = None,
    ) -> None:
        self.folder, self.library, self.corpus_mode = folder, library, corpus
        self.on_note = on_note or (lambda note: None)
        self._begun, self._spent = time.monotonic(), 0.0
        self._newest = max((epoch for epoch, _ in find_films(folder)), default=0)
        self._writer: _FilmWriter | None = None
        self._told = ""

    def clear(self, *, overwrite: bool) -> None:
        """Delete the films of an earlier training, which belong to another brain.

        Raises
        ------
        TrainingError
            There are some, and ``overwrite`` is false.
        """
        found = [path for _, path in find_films(self.folder)]
        found += [self.folder / ORIGINAL] if (self.folder / ORIGINAL).exists() else []
        if found and not overwrite:
            raise TrainingError(
                f"{self.folder} holds films of another training; choose another folder for "
                "`listen`, or give `overwrite=True`"
            )
        try:
            for path in found:
                path.unlink()
        except OSError as failure:
            raise TrainingError(write_error_message(self.folder, failure)) from failure
        self._newest = 0

    def __call__(self, trainer: Trainer, finished: Brain | None) -> None:
        """Write a film of the best epoch if it has none, and if it is due or the last."""
        epoch = trainer.state.best_epoch
        if not epoch or epoch == self._newest:
            return
        begun = time.monotonic()
        if finished is None and begun - self._begun < self._spent / MAX_SHARE:
            return
        try:
            if self._writer is None:
                stretch = HeldOutStretch.from_training(trainer)
                corpus = self._build_corpus(trainer, stretch)
                self._writer = _FilmWriter(stretch, corpus, self.folder)
            self._writer.write(finished or trainer.export_best_brain(), film_name(epoch))
            for _, path in find_films(self.folder)[:-MAX_FILMS]:
                path.unlink(missing_ok=True)
        except (Frame2SoundError, OSError) as error:
            self._tell(str(error))
        self._newest = epoch
        self._spent += time.monotonic() - begun

    def _build_corpus(self, trainer: Trainer, stretch: HeldOutStretch) -> Corpus | None:
        if self.corpus_mode == "none":
            return None
        films, recipe = trainer.training_data.films, trainer.recipe
        loudness = recipe.training.loudness
        corpus = build_corpus(self.library, recipe.to_clock(), "carry", films, loudness)
        assert isinstance(corpus, Corpus | None)
        return None if corpus is None else stretch.without_held_out(corpus)

    def _tell(self, reason: str) -> None:
        if reason != self._told:
            self._told = reason
            self.on_note(f"there is no film to listen to: {reason}")


class _FilmWriter:
    """Writes the picture of a stretch with sounds; first with its own.

    Raises
    ------
    TrainingError
        A file cannot be written.
    """

    def __init__(self, stretch: HeldOutStretch, corpus: Corpus | None, folder: Path) -> None:
        self.stretch, self.corpus, self.folder = stretch, corpus, folder
        self.format = plain_format(stretch.films[0])
        if corpus is not None:
            self.format = SoundFormat(corpus.sample_rate, corpus.channels)
        with tempfile.TemporaryDirectory(prefix="frame2sound-") as temporary:
            picture = Path(temporary) / "picture.mp4"
            write_video(stretch.frames, stretch.fps, picture)
            self._streams = probe_streams(picture)
            self._write(stretch.original(self.format), ORIGINAL)
        self._streams = probe_streams(folder / ORIGINAL)

    def write(self, brain: Brain, name: str) -> None:
        """Write the stretch as a brain sounds it."""
        self._write(self.stretch.render(brain, self.corpus), name)

    def _write(self, sound: NDArray[np.float32], name: str) -> None:
        """Write a film with a sound whose peaks are limited to -1 dBTP."""
        rate = DELIVERY_SAMPLE_RATE
        sound = np.concatenate(list(resample([sound], self.format.sample_rate, rate)))
        limiter, path = Limiter(rate), self.folder / name
        limited = np.concatenate([limiter.process(sound), limiter.flush()])
        with atomic_write(path, TrainingError) as partial:
            mux(self._streams, [limited], rate, sound.ndim, audio_codec_for(path), partial)
