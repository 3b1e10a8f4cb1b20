"""Features, tempo, key and notes against closed forms, librosa and the truth of drawn films.

Each row is a measure, what was measured and its bar. Notes are judged on films with other seeds and
of another length than those that their finding was developed on (seeds 0 to 5, 12 and 20 s).

    python benchmarks/listening_features.py --out listening-features
"""

from __future__ import annotations

import argparse
import csv
import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

import frame2sound as f2s
from frame2sound.film.drawing.demo_films import load_scene
from frame2sound.film.drawing.scene_writer import write_scene
from frame2sound.listening.chroma import PITCH_CLASSES
from frame2sound.listening.frame_features import default_window, frame_features
from frame2sound.listening.listener import Heard, Listener
from frame2sound.listening.note_scores import false_notes, note_hits, true_notes
from frame2sound.listening.notes import Note
from frame2sound.sound.scale import note_to_hz

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from tests.listening.signals import beats, clicks, in_key, melody

RATE, WINDOW = 22050, 2048
BIN = RATE / WINDOW

FILMS = ("theremin", "lines", "bounce", "typing", "machine")
SEEDS, SECONDS = tuple(range(101, 109)), 33.0
RANDOM_SOUNDS = 200

FRAME_RATE_HZ = 48_000


@dataclass(frozen=True)
class Row:
    """A measure, its value, its bar, and whether it is met (None without a bar)."""

    measure: str
    value: float
    bar: str
    met: bool | None


def at_most(measure: str, value: float, bar: float) -> Row:
    """Return a row whose value is to be at most a bar."""
    return Row(measure, float(value), f"at most {bar:g}", bool(value <= bar))


def at_least(measure: str, value: float, bar: float) -> Row:
    """Return a row whose value is to be at least a bar."""
    return Row(measure, float(value), f"at least {bar:g}", bool(value >= bar))


def sine(hz: float, seconds: float = 1.0, rate: int = RATE) -> np.ndarray:
    """Return a sine of full scale."""
    return np.sin(2 * np.pi * hz * np.arange(round(seconds * rate)) / rate + 0.4)


def listen(sound: np.ndarray, rate: int = RATE) -> Heard:
    """Return what is heard in a mono sound, or one of shape (n, 2)."""
    planes = np.asarray(sound if sound.ndim == 2 else sound[:, None], np.float32)
    listener = Listener(rate, planes.shape[1])
    for first in range(0, len(planes), 1 << 16):
        list(listener.process(planes[first : first + (1 << 16)]))
    list(listener.finish())
    return listener.heard()


def shapes() -> Iterator[Row]:
    """Yield errors of the shape of spectra where they have closed forms."""
    pitches = np.geomspace(100, 9000, 40)
    heard = [frame_features(sine(hz), RATE) for hz in pitches]
    inner = slice(2, -2)
    off = [
        np.abs(each.centroid_hz[inner] - hz).max() / BIN
        for hz, each in zip(pitches, heard, strict=True)
    ]
    yield at_most("centroid of 40 sines, 100 Hz to 9 kHz: error in bins", max(off), 1)
    off = [
        np.abs(each.rolloff_hz[inner] - hz).max() / BIN
        for hz, each in zip(pitches, heard, strict=True)
    ]
    yield at_most("rolloff of the same: error in bins", max(off), 2)
    off = [
        np.abs(each.zero_crossing_rate[inner] - 2 * hz / RATE).max() * WINDOW
        for hz, each in zip(pitches, heard, strict=True)
    ]
    yield at_most("zero crossings of the same: error in crossings a frame of 2048", max(off), 2)
    errors = []
    for ratio in (0.1, 0.5, 1.0):
        found = frame_features(sine(50 * BIN) + ratio * sine(250 * BIN), RATE)
        share = ratio / (1 + ratio)
        width = np.sqrt(share * (1 - share) * (200 * BIN) ** 2 + BIN**2 / 2)
        errors.append(np.abs(found.bandwidth_hz[inner] / width - 1).max())
    yield at_most("bandwidth of two tones: relative error", max(errors), 1e-4)
    noise = np.random.default_rng(11).standard_normal(30 * RATE)
    found = frame_features(noise, RATE)
    flat = float(found.flatness[inner].mean())
    yield Row("flatness of white noise", flat, ".5615 within 1 %", abs(flat / 0.5615 - 1) <= 0.01)
    off = abs(float(found.rolloff_hz[inner].mean()) / (0.85 * RATE / 2) - 1)
    yield at_most("rolloff of white noise: relative error", off, 0.01)


def pitch_classes() -> Iterator[Row]:
    """Yield shares of notes with the right class, and errors of pitch in cents."""
    names = [f"{name}{octave}" for octave in (3, 4, 5, 6) for name in PITCH_CLASSES]
    right = []
    for number, name in enumerate(names):
        found = frame_features(sine(note_to_hz(name), 0.5), RATE)
        right.append((found.chroma[2:-2].argmax(axis=1) == number % 12).mean())
    a4 = right[names.index("A4")]
    yield at_least("A4 is class 9: share of frames", a4, 1)
    yield at_least("48 notes, C3 to B6, in their class: share of frames", np.mean(right), 1)
    hertz = [note_to_hz(name) for name in ("C2", "A2", "E3", "A4", "F#5", "C7", "A7")]
    notes = listen(melody(hertz, 0.4, FRAME_RATE_HZ), FRAME_RATE_HZ).notes
    cents = [1200 * np.log2(note.hz / hz) for note, hz in zip(notes, hertz, strict=True)]
    yield at_most("pitch of seven notes, C2 to A7: error in cents", np.abs(cents).max(), 5)


def tempi() -> Iterator[Row]:
    """Yield the error of tempi, and how often there is one where there is none."""
    off = [
        np.inf
        if (found := listen(beats(bpm, 12, 16_000), 16_000).tempo) is None
        else abs(found.bpm - bpm)
        for bpm in np.linspace(60, 180, 25)
    ]
    yield at_most("tempo of clicks, 25 from 60 to 180 BPM: error in BPM", max(off), 1)
    rng, wrong = np.random.default_rng(12), 0
    for number in range(RANDOM_SOUNDS):
        times = np.sort(rng.uniform(0, 10, (15, 30, 60)[number % 3]))
        wrong += listen(clicks(times, 10, 16_000), 16_000).tempo is not None
    share = wrong / RANDOM_SOUNDS
    yield at_most("clicks at random times for 10 s: share with a tempo", share, 0.05)


def keys() -> Iterator[Row]:
    """Yield shares of the 24 keys that are found."""
    for kind in ("scale", "chords"):
        right = []
        for mode in ("major", "minor"):
            for tonic, name in enumerate(PITCH_CLASSES):
                key = listen(in_key(tonic, mode, kind, RATE), RATE).key
                right.append(key is not None and key.name == f"{name} {mode}")
        yield at_least(f"key of {kind} in 24 keys: share found", np.mean(right), 1)
    rng = np.random.default_rng(13)
    heard = [listen(rng.standard_normal(4 * RATE) * 0.1).key is not None for _ in range(20)]
    yield at_most("white noise: share with a key", np.mean(heard), 0)


def loudness() -> Iterator[Row]:
    """Yield the difference of loudness from pyloudnorm's, in LU."""
    import pyloudnorm

    rng, off = np.random.default_rng(14), []
    for rate in (44_100, 48_000):
        sound = 0.1 * rng.standard_normal((5 * rate, 2)) * np.linspace(0.05, 1, 5 * rate)[:, None]
        expected = pyloudnorm.Meter(rate, filter_class="DeMan").integrated_loudness(sound)
        off.append(abs(listen(sound, rate).loudness_lufs - expected))
    yield at_most("loudness of swelling noise against pyloudnorm: LU", max(off), 0.1)


def against_librosa() -> Iterator[Row]:
    """Yield relative errors against librosa with the same settings."""
    import librosa

    for rate in (22_050, 48_000):
        scene = load_scene("bounce", seconds=4, seed=111, size=(64, 64), sample_rate=rate)
        sound = scene.synthesise(0, scene.sample_count).astype(np.float64)
        sound += 1e-3 * np.random.default_rng(15).standard_normal(len(sound))
        found, size = frame_features(sound, rate), default_window(rate)
        for name, expected in _of_librosa(librosa, sound, rate, size).items():
            scale = np.maximum(np.abs(expected), 1e-3 * np.abs(expected).max())
            error = (np.abs(getattr(found, name) - expected) / scale).max()
            yield at_most(f"{name} against librosa, {rate} Hz: relative error", error, 1e-4)


def _of_librosa(librosa, sound, rate, size):
    of, hop = librosa.feature, size // 4
    same, framed = {"sr": rate, "n_fft": size, "hop_length": hop}, {"frame_length": size}
    spectrum = np.abs(librosa.stft(sound, n_fft=size, hop_length=hop, pad_mode="constant"))
    mel = librosa.power_to_db(of.melspectrogram(S=spectrum**2, sr=rate, n_fft=size), top_db=None)
    return {
        "centroid_hz": of.spectral_centroid(S=spectrum, **same)[0],
        "bandwidth_hz": of.spectral_bandwidth(S=spectrum, **same)[0],
        "rolloff_hz": of.spectral_rolloff(S=spectrum, **same)[0],
        "flatness": of.spectral_flatness(S=spectrum)[0],
        "zero_crossing_rate": of.zero_crossing_rate(sound, hop_length=hop, **framed)[0],
        "level_db": 20 * np.log10(of.rms(y=sound, hop_length=hop, **framed)[0]),
        "mfcc": of.mfcc(S=mel, n_mfcc=20).T,
        "chroma": of.chroma_stft(S=spectrum**2, tuning=0, **same).T,
        "onset_strength_db": librosa.onset.onset_strength(S=mel, sr=rate, center=False),
    }


def notes() -> Iterator[Row]:
    """Yield shares of drawn films' notes that are found, beside chance, and of false notes."""
    for film in FILMS:
        hits, chance, false = [], [], np.zeros(2)
        for seed in SEEDS:
            scene = load_scene(film, seconds=SECONDS, seed=seed, size=(64, 64))
            truth = scene.truth
            sound = scene.synthesise(0, scene.sample_count)
            found = listen(sound, scene.clock.sample_rate).notes
            hits += note_hits(true_notes(truth), found).tolist()
            moved = [
                Note((n.start_seconds + SECONDS / 2) % SECONDS, n.end_seconds, n.hz, n.level_db)
                for n in found
            ]
            chance += note_hits(true_notes(truth), moved).tolist()
            false += false_notes(truth, found)
        share, count = np.mean(hits), len(hits)
        if film == "machine":
            yield Row(f"{film}: share of {count} notes", share, "none: it clanks and hums", None)
        else:
            yield at_least(f"{film}: share of {count} notes within 50 cents and 50 ms", share, 0.9)
        yield Row(f"{film}: the same, shifted by half a film", np.mean(chance), "chance", None)
        wrong = false[1] / max(false[0], 1)
        yield Row(f"{film}: share of found notes that are false", wrong, "low", None)


def speed() -> Iterator[Row]:
    """Yield processor seconds a second of sound for everything together, subprocess and all."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "film.mp4"
        write_scene(load_scene("theremin", seconds=60, seed=112, size=(160, 120)), path)
        f2s.hear(path)
        begun = _processor_seconds()
        f2s.hear(path)
        used = (_processor_seconds() - begun) / 60
    yield at_most("processor seconds a second of a film in stereo at 48 kHz", used, 0.1)
    scene = load_scene("lines", seconds=60, seed=113, size=(64, 64))
    sound = scene.synthesise(0, scene.sample_count)
    begun = time.process_time()
    listen(sound, scene.clock.sample_rate)
    used = (time.process_time() - begun) / 60
    yield at_most("the same, of a sound in memory, mono", used, 0.1)


def _processor_seconds() -> float:
    import resource

    used = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(each.ru_utime + each.ru_stime for each in used)


PARTS: dict[str, Callable[[], Iterator[Row]]] = {
    "shapes": shapes,
    "pitch classes": pitch_classes,
    "tempi": tempi,
    "keys": keys,
    "loudness": loudness,
    "librosa": against_librosa,
    "notes": notes,
    "speed": speed,
}


def measure(parts: list[str]) -> list[Row]:
    """Return the rows of some parts, and print each as it is measured."""
    rows = []
    for part in parts:
        for row in PARTS[part]():
            rows.append(row)
            met = {True: "met", False: "MISSED", None: ""}[row.met]
            print(f"{row.measure:66}  {row.value:10.4g}  {row.bar:24}  {met}", flush=True)
    return rows


def main() -> None:
    """Measure, print and write the rows."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--out", type=Path, help="folder for rows.csv and rows.json")
    parser.add_argument("--only", nargs="+", choices=PARTS, default=list(PARTS))
    chosen = parser.parse_args()
    rows = [asdict(row) for row in measure(chosen.only)]
    if chosen.out is not None:
        chosen.out.mkdir(parents=True, exist_ok=True)
        (chosen.out / "rows.json").write_text(json.dumps(rows, indent=1) + "\n")
        with (chosen.out / "rows.csv").open("w", newline="") as file:
            writer = csv.DictWriter(file, rows[0].keys())
            writer.writeheader()
            writer.writerows(rows)


if __name__ == "__main__":
    main()
