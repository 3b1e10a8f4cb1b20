"""Listens to a sound block by block, and keeps what is to be said of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from frame2sound.listening.bounded_record import BoundedRecord
from frame2sound.listening.cepstrum import MEL_BANDS
from frame2sound.listening.frame_features import FrameFeatureExtractor, FrameFeatures
from frame2sound.listening.key import Key, find_key
from frame2sound.listening.notes import Note, NoteFinder
from frame2sound.listening.onsets import OnsetTracker
from frame2sound.listening.pitch_track import PitchTracker
from frame2sound.listening.tempo import MIN_ONSETS, Tempo, TempoMeter
from frame2sound.sound.loudness import MIN_SAMPLE_RATE, LoudnessMeter

FloatArray = NDArray[np.float64]

SILENCE_DB = -70.0
"""Frames whose level is lower do not count in medians, chroma and key."""

MAX_FRAMES = 1 << 18
"""Frames of which medians are taken: of sounds longer than an hour and a half, every second."""

MAX_PICTURE_FRAMES = 4096
"""Frames of which spectra are kept for a picture."""

MIN_RATE, MAX_RATE = 1000, 1_000_000
"""Samples a second of what can be heard: with fewer there is no tone to describe."""

SHORTEST_LOUDNESS_SECONDS = 0.4
"""A block of ITU-R BS.1770."""

SCALARS = (
    "level_db",
    "centroid_hz",
    "bandwidth_hz",
    "rolloff_hz",
    "flatness",
    "zero_crossing_rate",
    "onset_strength_db",
    "pitch_hz",
)


@dataclass(frozen=True)
class Spread:
    """The median of a feature, and the distance between its quartiles."""

    median: float
    quartile_distance: float


@dataclass(frozen=True)
class FrameRows:
    """Features of frames, and their pitches in Hz, ``(n,)``, NaN without pitch."""

    features: FrameFeatures
    pitch_hz: FloatArray


@dataclass(frozen=True)
class Heard:
    """What was heard in a sound.

    Attributes
    ----------
    seconds : float
    sample_rate : int
        In Hz.
    channels : int
    spreads : dict of str to Spread
        Of the features named in `SCALARS`; those of silence, and the pitch of sounds without, are
        missing.
    mfcc : array of shape (coefficients,)
        Medians, in dB; empty for silence.
    chroma : array of shape (12,)
        Means, from 0 to 1.
    pitched_share : float
        Share of the frames that are not silent in which there is a pitch.
    onsets : array of shape (n,)
        In seconds.
    notes : tuple of Note
    tempo : Tempo or None
    key : Key or None
    loudness_lufs : float or None
        None for silence and for less than 0.4 s.
    why : dict of str to str
        Why ``pitch``, ``tempo``, ``key`` or ``loudness`` is missing.
    """

    seconds: float
    sample_rate: int
    channels: int
    spreads: dict[str, Spread]
    mfcc: FloatArray
    chroma: FloatArray
    pitched_share: float
    onsets: FloatArray
    notes: tuple[Note, ...]
    tempo: Tempo | None
    key: Key | None
    loudness_lufs: float | None
    why: dict[str, str]


@dataclass(frozen=True)
class View:
    """Frames at regular distances, at most 4096, for a picture: see `FrameFeatures`.

    Attributes
    ----------
    seconds : array of shape (n,)
    mel_db : array of shape (n, 128)
    chroma : array of shape (n, 12)
    level_db, centroid_hz : array of shape (n,)
    """

    seconds: FloatArray
    mel_db: FloatArray
    chroma: FloatArray
    level_db: FloatArray
    centroid_hz: FloatArray


class Listener:
    """Takes a sound block by block; its memory grows with onsets and notes alone.

    Raises
    ------
    ValueError
        The sample rate is below 1000 Hz or above a megahertz.

    Examples
    --------
    >>> listener = Listener(22050)
    >>> rows = list(listener.process(np.zeros((22050, 1), np.float32))) + list(listener.finish())
    >>> listener.heard().why["tempo"]
    'silence'
    """

    def __init__(self, sample_rate: int, channels: int = 1) -> None:
        if not MIN_RATE <= sample_rate <= MAX_RATE:
            raise ValueError(
                f"got {sample_rate} samples a second, expected {MIN_RATE} to {MAX_RATE}"
            )
        self.sample_rate, self.channels = sample_rate, channels
        self._extractor = FrameFeatureExtractor(sample_rate)
        self._hop = self._extractor.stft.hop
        self._pitches = PitchTracker(sample_rate, self._hop // 2)
        self._onset_tracker = OnsetTracker(sample_rate)
        self._tempo = TempoMeter(self._onset_tracker.hop_seconds)
        self._note_finder = NoteFinder()
        weighted = sample_rate >= MIN_SAMPLE_RATE
        self._loudness = LoudnessMeter(sample_rate, channels, weighted=weighted)
        self._waiting_hz = np.zeros(0)  # pitches, two a frame, of frames that are not complete
        self._record, self._views = BoundedRecord(MAX_FRAMES), BoundedRecord(MAX_PICTURE_FRAMES)
        self._onsets: list[float] = []
        self._notes: list[Note] = []
        self._samples = 0

    @property
    def frame_seconds(self) -> float:
        """From one frame to the next."""
        return self._hop / self.sample_rate

    def process(self, block: NDArray[np.float32]) -> Iterator[FrameRows]:
        """Take the next samples, ``(n, channels)``; yield the frames that are complete."""
        self._samples += len(block)
        self._loudness.update(block)
        mono = block.mean(axis=1, dtype=np.float64)
        track = self._pitches.process(mono)
        onsets, flux = self._onset_tracker.process(mono)
        self._onsets += onsets.tolist()
        self._tempo.process(flux)
        self._notes += self._note_finder.process(track, onsets, self._onset_tracker.known_seconds)
        yield self._rows(self._extractor.process(mono), track.hz)

    def finish(self) -> Iterator[FrameRows]:
        """Yield the last frames."""
        track, onsets = self._pitches.flush(), self._onset_tracker.flush()
        self._onsets += onsets.tolist()
        known = self._samples / self.sample_rate
        self._notes += self._note_finder.process(track, onsets, known) + self._note_finder.flush()
        yield self._rows(self._extractor.flush(), track.hz)

    def heard(self) -> Heard:
        """Return what was heard so far."""
        rows = self._record.rows()
        rows = rows[rows[:, 0] > SILENCE_DB] if len(rows) else np.zeros((0, len(SCALARS) + 12))
        scalars, after = rows[:, : len(SCALARS)], rows[:, len(SCALARS) :]
        chroma = after[:, :12].mean(axis=0) if len(rows) else np.zeros(12)
        spreads = {
            name: spread
            for name, values in zip(SCALARS, scalars.T, strict=True)
            if (spread := _spread(values)) is not None
        }
        pitched = float(np.isfinite(scalars[:, -1]).mean()) if len(rows) else 0.0
        tempo, key = self._tempo.tempo(len(self._onsets)), find_key(after[:, :12])
        loudness = self._loudness.integrated_lufs
        known = {
            "pitch": "pitch_hz" in spreads,
            "tempo": tempo is not None,
            "key": key is not None,
            "loudness": bool(np.isfinite(loudness)),
        }
        return Heard(
            self._samples / self.sample_rate,
            self.sample_rate,
            self.channels,
            spreads,
            np.median(after[:, 12:], axis=0) if len(rows) else np.zeros(0),
            chroma,
            pitched,
            np.array(self._onsets),
            tuple(self._notes),
            tempo,
            key,
            loudness if known["loudness"] else None,
            {name: self._reason(name, len(rows)) for name, there in known.items() if not there},
        )

    def view(self) -> View:
        """Return what a picture of the sound so far shows."""
        rows = self._views.rows()
        if not len(rows):
            rows = np.zeros((0, MEL_BANDS + 14))
        seconds = np.arange(len(rows), dtype=np.float64) * self._views.stride * self.frame_seconds
        bands, rest = rows[:, :MEL_BANDS], rows[:, MEL_BANDS:]
        return View(seconds, bands, rest[:, :12], rest[:, 12], rest[:, 13])

    def _rows(self, features: FrameFeatures, hz: FloatArray) -> FrameRows:
        self._waiting_hz = np.concatenate([self._waiting_hz, hz])
        pitch = self._waiting_hz[: 2 * len(features) : 2]
        self._waiting_hz = self._waiting_hz[2 * len(features) :].copy()
        columns = [getattr(features, name) for name in SCALARS[:-1]]
        self._record.append(np.column_stack([*columns, pitch, features.chroma, features.mfcc]))
        drawn = features.mel_db, features.chroma, features.level_db, features.centroid_hz
        self._views.append(np.column_stack(drawn))
        return FrameRows(features, pitch)

    def _reason(self, name: str, sounding_frames: int) -> str:
        """Return why a feature is missing."""
        count = len(self._onsets)
        if name == "loudness" and self._samples < SHORTEST_LOUDNESS_SECONDS * self.sample_rate:
            return f"shorter than {SHORTEST_LOUDNESS_SECONDS} s"
        if name == "tempo" and sounding_frames and count < MIN_ONSETS:
            return f"{count} onset{'s' * (count != 1)}, expected {MIN_ONSETS}"
        if not sounding_frames:
            cancels = np.isfinite(self._loudness.integrated_lufs)
            return "silence in mono: the channels cancel out" if cancels else "silence"
        reasons = {"pitch": "no pitch", "tempo": "no steady beat", "key": "no key stands out"}
        return reasons.get(name, "silence")


def _spread(values: FloatArray) -> Spread | None:
    known = values[np.isfinite(values)]
    if not len(known):
        return None
    low, middle, high = np.quantile(known, [0.25, 0.5, 0.75])
    return Spread(float(middle), float(high - low))
