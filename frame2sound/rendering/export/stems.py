"""Write a soundtrack as stems: one WAV a film, which add up to the mix."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import tee
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from frame2sound.atomic import atomic_folder, remove_folder
from frame2sound.errors import SoundtrackError
from frame2sound.rendering.effects.host import process_groups
from frame2sound.rendering.export.markers import Marker
from frame2sound.rendering.export.stem_recorder import StemRecorder
from frame2sound.rendering.export.wav_cues import add_cues, clear_peak_time
from frame2sound.rendering.output.delivery import OutputWriter
from frame2sound.rendering.output.finishing import (
    Chunks,
    apply_gain,
    mix_original,
    remove_dc,
    resample,
)
from frame2sound.rendering.soundtrack import Soundtrack
from frame2sound.safe_names import safe_file_names
from frame2sound.sound.wav_file import open_wav
from frame2sound.untrusted import read_json

REST, ORIGINAL = "no film", "original"
"""The names of what comes from no film of the corpus, and of the animation's own sound."""

LIST_FILE = "stems.json"
"""The list of a folder's stems; a folder without it is not replaced."""

SILENT_AMPLITUDE = 1e-6
"""A rest that is nowhere louder, -120 dBFS, is rounding, and is not written."""

_TINY = np.finfo(np.float32).tiny


@dataclass(frozen=True)
class Stem:
    """A stem that was written.

    Attributes
    ----------
    name : str
        The film, `REST` or `ORIGINAL`.
    path : Path
    """

    name: str
    path: Path


def check_folder(folder: Path, *, overwrite: bool) -> None:
    """Raise `SoundtrackError` if a folder for stems has other files, or old stems to be kept."""
    if folder.exists() and not folder.is_dir():
        raise SoundtrackError(f"{folder} is a file; expected the name of a folder for stems")
    files = {path.name for path in folder.iterdir()} if folder.exists() else set()
    if not files:
        return
    if not overwrite:
        raise SoundtrackError(
            f"{folder} exists already; choose another name or give `overwrite=True`"
        )
    if other := sorted(files - {LIST_FILE, *_listed(folder / LIST_FILE)}):
        raise SoundtrackError(
            f"{folder} holds other files than stems, such as {other[0]}; choose another name"
        )


def _listed(path: Path) -> list[str]:
    """Return the files that a list of stems names; none if it is no such list."""
    try:
        return [str(stem["file"]) for stem in read_json(path)["stems"]]
    except (OSError, ValueError, KeyError, TypeError):
        return []


def write_stems(
    folder: Path,
    sound: Chunks,
    names: list[str],
    sample_rate: int,
    markers: list[Marker],
) -> list[Stem]:
    """Write stems as WAV files of 32-bit numbers, which do not clip, and a list of them.

    Parameters
    ----------
    folder : Path
    sound : iterable of float32 arrays (n, len(names) * channels)
        The channels of each stem beside each other.
    names : list of str
    sample_rate : int
        In Hz.
    markers : list of Marker
        Each stem has cue points for the events that play its film.

    Raises
    ------
    SoundtrackError
        The folder cannot be written, or holds other files.
    """
    files = safe_file_names(names, ".wav")
    with atomic_folder(folder, SoundtrackError) as partial:
        peaks = _write_files([partial / file for file in files], sound, sample_rate)
        stems = []
        for name, file, peak in zip(names, files, peaks, strict=True):
            if name == REST and peak < SILENT_AMPLITUDE and len(names) > 1:
                (partial / file).unlink()
                continue
            clear_peak_time(partial / file)
            add_cues(
                partial / file, [each for each in markers if (each.event.film or REST) == name]
            )
            stems.append(Stem(name, folder / file))
        listed = [{"name": stem.name, "file": stem.path.name} for stem in stems]
        table = {"version": 1, "sample_rate": sample_rate, "stems": listed}
        text = json.dumps(table, indent=1) + "\n"
        (partial / LIST_FILE).write_text(text, encoding="utf-8")
        if folder.exists() and any(folder.iterdir()):
            remove_folder(folder, SoundtrackError)
    return stems


def _write_files(paths: list[Path], sound: Chunks, sample_rate: int) -> NDArray[np.float64]:
    """Write each group of channels to a file; return the peak of each."""
    peaks = np.zeros(len(paths))
    with ExitStack() as stack:
        files: list[soundfile.SoundFile] = []
        for chunk in sound:
            groups = chunk.reshape(len(chunk), len(paths), -1)
            if not files:
                channels = groups.shape[2]
                files = [
                    stack.enter_context(open_wav(path, sample_rate, channels, "FLOAT"))
                    for path in paths
                ]
            for index, file in enumerate(files):
                file.write(np.ascontiguousarray(groups[:, index]))
            peaks = np.maximum(peaks, np.abs(groups).max(axis=(0, 2), initial=0))
    return peaks


def finished_stems(
    writer: OutputWriter, soundtrack: Soundtrack, recorder: StemRecorder
) -> Iterator[NDArray[np.float32]]:
    """Yield the stems of a soundtrack that was written, beside each other as `stem_names` says.

    All steps but one are linear, as effects must be, and that one, the limiter, has the gain that
    the mix needs at each sample; so have the normalisation of loudness and the room for a codec.
    The mix goes along as the first group of channels, and is left out in the end.
    """
    delivery, origin = writer.delivery, soundtrack.segment.origin_seconds
    raw_channels = soundtrack.renderer.channels
    channels = writer.output_channels(raw_channels)
    first = origin * writer.sample_rate
    sound: Chunks = remove_dc(recorder.read(first), writer.sample_rate, first, raw_channels)
    if delivery.effects is not None:
        sound = _with_effects(sound, writer, recorder, raw_channels)
    sound = apply_gain(sound, delivery.gain_db)
    rates = writer.sample_rate, writer.output_sample_rate
    sound = resample_groups(sound, raw_channels, *rates)
    if writer.original is not None:
        sound = _with_original(sound, writer, raw_channels, channels, origin * rates[1])
    if writer.cuts_early(soundtrack):
        sound = writer.cut(sound, soundtrack)
    if writer.normalisation is not None:
        sound = apply_gain(sound, writer.normalisation.gain_db)
    for chunk in writer.finish(sound, soundtrack, channels):
        yield chunk[:, channels:]


def stem_names(writer: OutputWriter, recorder: StemRecorder) -> list[str]:
    """Return the names of the groups of channels that `finished_stems` yields."""
    return [*recorder.films, REST, *([] if writer.original is None else [ORIGINAL])]


def _with_original(
    sound: Chunks, writer: OutputWriter, raw_channels: int, channels: int, first_sample: int
) -> Iterator[NDArray[np.float32]]:
    """Add the animation's own sound to the mix, and as a last group, as the mix had it."""
    assert writer.original is not None
    assert writer.delivery.keep_original_db is not None
    chunks, lengths = tee(sound)
    nothing = (np.zeros((len(chunk), channels), np.float32) for chunk in lengths)
    gain_db = writer.delivery.keep_original_db
    originals = mix_original(
        nothing, writer.original.audio_chunks(), gain_db, channels, first_sample
    )
    for chunk, original in zip(chunks, originals, strict=True):
        groups = chunk.reshape(len(chunk), -1, raw_channels)
        spread = np.repeat(groups, channels // raw_channels, axis=2).reshape(len(chunk), -1)
        spread[:, :channels] += original
        yield np.concatenate([spread, original], axis=1)


def resample_groups(
    chunks: Chunks, channels: int, sample_rate: int, output_sample_rate: int
) -> Iterator[NDArray[np.float32]]:
    """Yield chunks ``(n, groups * channels)`` at another rate, each group as `resample` does."""
    return process_groups(
        chunks, channels, lambda group: resample(group, sample_rate, output_sample_rate)
    )


def _with_effects(
    sound: Chunks, writer: OutputWriter, recorder: StemRecorder, channels: int
) -> Iterator[NDArray[np.float32]]:
    """Yield the mix, whose channels are first, and each stem with the effects.

    What stems lack of the mix by rounding they share at each sample by their levels: a filter of
    low frequencies rounds by up to -45 dB.
    """
    effects, groups = writer.delivery.effects, len(recorder.films) + 2
    assert effects is not None
    for chunk in effects.apply_to_groups(
        sound, writer.sample_rate, channels, groups, recorder.folder
    ):
        planes = chunk.reshape(len(chunk), groups, channels)
        mix, stems = planes[:, 0], planes[:, 1:]
        levels = np.abs(stems)
        shares = levels / np.maximum(levels.sum(axis=1), _TINY)[:, None]
        stems = stems + shares * (mix - stems.sum(axis=1))[:, None]
        yield np.concatenate([mix[:, None], stems], axis=1).reshape(chunk.shape)
