"""How much of a picture comes back in the spectrogram of its sound, and how fast sound is made.

Pictures are turned into sound by frame2sound, and heard by another reader, SciPy's ShortTimeFFT:
the power in each row's band and each column's time, in dB, is the grey that is heard. The
structural similarity (Wang, Bovik, Sheikh and Simoncelli, 2004, IEEE Transactions on Image
Processing 13(4), 600-612) to the picture stands beside that to another picture, and to the picture
shuffled.

    python benchmarks/sonification.py --out sonification
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

import cv2
import numpy as np
import soundfile
from scipy.ndimage import gaussian_filter
from scipy.signal import ShortTimeFFT
from scipy.signal.windows import hann

import frame2sound as f2s
from frame2sound.film.drawing.demo_films import load_scene
from frame2sound.film.drawing.scene_writer import write_scene
from frame2sound.sonification.frequencies import FrequencyAxis, spaced_axis, tuned_axis
from frame2sound.sonification.picture_process import decode_grey
from frame2sound.sound.named_scales import parse_scale

ROWS, COLUMNS = 192, 256
SECONDS, MORE_SECONDS = 10, 40
LOW_HZ, HIGH_HZ = 100.0, 12_000.0
RANGE_DB = 40.0
SCALE = "24-tet"
SPACINGS = ("linear", "log", "scale")
TIMBRES = ("sines", "noise", "grains")
WINDOWS = (1024, 2048, 4096, 8192)
"""A row is heard with the shortest window that separates it from its neighbours, if one does."""

WINDOW_TIMES_BAND = 2.5
MAX_HOP = 1024


def drawings() -> dict[str, np.ndarray]:
    """Return pictures of 0 to 1, light on dark."""
    pictures = {name: draw() for name, draw in DRAWINGS.items()}
    return {name: _shrunk(picture) for name, picture in pictures.items()}


def _canvas() -> np.ndarray:
    return np.zeros((4 * ROWS, 4 * COLUMNS), np.uint8)


def line_drawing() -> np.ndarray:
    """Return lines, a circle and an arc."""
    canvas = _canvas()
    corners = np.array([(40, 700), (200, 80), (400, 650), (620, 120), (980, 700)])
    cv2.polylines(canvas, [corners], False, 255, 14)
    cv2.circle(canvas, (590, 370), 180, 255, 14)
    cv2.ellipse(canvas, (300, 520), (200, 220), 0, 200, 340, 255, 14)
    return canvas


def shapes() -> np.ndarray:
    """Return areas of three greys."""
    canvas = _canvas()
    cv2.rectangle(canvas, (80, 80), (400, 360), 255, -1)
    cv2.ellipse(canvas, (690, 520), (210, 200), 0, 0, 360, 180, -1)
    cv2.fillPoly(canvas, [np.array([(560, 60), (960, 60), (760, 300)])], 110)
    return canvas


def letters() -> np.ndarray:
    """Return two words."""
    canvas = _canvas()
    for text, top in (("frame", 280), ("2sound", 620)):
        cv2.putText(canvas, text, (60, top), cv2.FONT_HERSHEY_SIMPLEX, 8, 255, 30)
    return canvas


def gradient() -> np.ndarray:
    """Return a plane that rises to the upper right."""
    up, right = np.linspace(1, 0, 4 * ROWS), np.linspace(0, 1, 4 * COLUMNS)
    return np.rint(np.add.outer(up, right) * 127.5).astype(np.uint8)


def film_frame() -> np.ndarray:
    """Return a frame of a drawn film, of grass in the wind."""
    with tempfile.TemporaryDirectory() as folder:
        film = Path(folder) / "film.mkv"
        write_scene(load_scene("breeze", seconds=3, seed=0, size=(512, 384)), film)
        frames = list(decode_grey(film, 4 * ROWS, 4 * COLUMNS))
    return frames[len(frames) // 2].grey


DRAWINGS = {
    "line drawing": line_drawing,
    "shapes": shapes,
    "letters": letters,
    "gradient": gradient,
    "film frame": film_frame,
}


def _shrunk(picture: np.ndarray) -> np.ndarray:
    small = cv2.resize(picture, (COLUMNS, ROWS), interpolation=cv2.INTER_AREA)
    return np.rint(small.astype(np.float64)) / 255


def axis_of(spacing: str) -> FrequencyAxis:
    """Return the frequencies that a picture's rows have."""
    if spacing == "scale":
        return tuned_axis(parse_scale(SCALE), LOW_HZ, HIGH_HZ)
    return spaced_axis(ROWS, LOW_HZ, HIGH_HZ, spacing)


def heard_picture(
    sound: np.ndarray, rate: int, axis: FrequencyAxis, white_db: float, columns: int = COLUMNS
) -> np.ndarray:
    """Return the picture that stands in a sound's spectrogram, ``(rows, columns)``, 0 to 1."""
    powers = [_band_powers(sound, rate, axis, columns, length) for length in WINDOWS]
    band_hz = axis.edges[:-1] - axis.edges[1:]
    needed = WINDOW_TIMES_BAND / band_hz * rate
    which = np.minimum(np.searchsorted(WINDOWS, needed), len(WINDOWS) - 1)
    power = np.stack([powers[window][row] for row, window in enumerate(which)])
    level_db = 10 * np.log10(np.maximum(power, 1e-20)) + 10 * np.log10(2) - white_db
    return np.clip(1 + level_db / RANGE_DB, 0, 1)


def _band_powers(
    sound: np.ndarray, rate: int, axis: FrequencyAxis, columns: int, length: int
) -> np.ndarray:
    """Return the mean power in each band and column."""
    hop = min(MAX_HOP, len(sound) // columns // 4)
    transform = ShortTimeFFT(hann(length, sym=False), hop, rate, scale_to="psd")
    density = 2 * transform.spectrogram(sound, k_offset=0)
    times = transform.t(len(sound))
    column = np.floor(times / (len(sound) / rate) * columns).astype(int)
    inside = (times >= 0) & (column < columns)
    sums = np.zeros((columns, len(density)))
    np.add.at(sums, column[inside], density.T[inside])
    counts = np.bincount(column[inside], minlength=columns)
    step = transform.delta_f
    below = np.vstack([np.zeros(columns), np.cumsum((sums / counts[:, None]).T * step, axis=0)])
    at = np.clip(axis.edges / step + 0.5, 0, len(below) - 1)
    edges = np.stack([np.interp(at, np.arange(len(below)), each) for each in below.T], axis=1)
    return edges[:-1] - edges[1:]


def similarity(one: np.ndarray, other: np.ndarray) -> float:
    """Return the mean structural similarity of pictures of 0 to 1 (Wang et al. 2004, equation 13).

    Windows are Gaussian of 1.5 pixels, 11 wide; margins of 5 pixels are left out.
    """

    def blurred(picture: np.ndarray) -> np.ndarray:
        return gaussian_filter(picture, 1.5, radius=5)

    means = blurred(one), blurred(other)
    variances = blurred(one**2) - means[0] ** 2, blurred(other**2) - means[1] ** 2
    covariance = blurred(one * other) - means[0] * means[1]
    first, second = 0.01**2, 0.03**2
    above = (2 * means[0] * means[1] + first) * (2 * covariance + second)
    below = (means[0] ** 2 + means[1] ** 2 + first) * (sum(variances) + second)
    return float((above / below)[5:-5, 5:-5].mean())


def main() -> None:
    """Print a table of similarities, and of speeds; write sheets of pictures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, help="write sheets of pictures here")
    out = parser.parse_args().out
    pictures = drawings()
    print(f"{'':22}" + "".join(f"{name:>14}" for name in pictures) + "   times real time")
    for spacing in SPACINGS:
        axis = axis_of(spacing)
        shown = {
            name: cv2.resize(picture, (COLUMNS, len(axis)), interpolation=cv2.INTER_AREA)
            for name, picture in pictures.items()
        }
        for timbre in TIMBRES:
            heard, speed = hear_all(pictures, spacing, timbre, axis)
            row = [similarity(shown[name], heard[name]) for name in pictures]
            _print_row(f"{len(axis)} rows, {spacing}, {timbre}", row, f"{speed:14.0f}")
            if out is not None:
                _write_sheet(out / f"{spacing}-{timbre}.png", shown, heard)
            if (spacing, timbre) == ("linear", "sines"):
                reference = heard
        if spacing == "linear":
            _print_chance(shown, reference)
        else:
            heard, speed = hear_all(pictures, spacing, "sines", axis, MORE_SECONDS)
            row = [similarity(shown[name], heard[name]) for name in pictures]
            _print_row(f"in {MORE_SECONDS} s, sines", row, f"{speed:14.0f}")


def _print_chance(shown: dict[str, np.ndarray], heard: dict[str, np.ndarray]) -> None:
    others = [*list(shown)[1:], next(iter(shown))]
    pairs = zip(shown, others, strict=True)
    _print_row("another picture", [similarity(shown[one], heard[other]) for one, other in pairs])
    random = np.random.default_rng(0)
    shuffled = [
        similarity(each, random.permuted(each.ravel()).reshape(each.shape))
        for each in shown.values()
    ]
    _print_row("the picture shuffled", shuffled)


def _print_row(label: str, values: list[float], end: str = "") -> None:
    print(f"{label:22}" + "".join(f"{value:14.3f}" for value in values) + end)


def hear_all(
    pictures: dict[str, np.ndarray],
    spacing: str,
    timbre: str,
    axis: FrequencyAxis,
    seconds: int = SECONDS,
) -> tuple[dict[str, np.ndarray], float]:
    """Return what is heard of pictures, and the seconds of sound in a second of processor time."""
    heard, spent = {}, 0.0
    tuned = {"scale": SCALE} if spacing == "scale" else {"spacing": spacing, "rows": ROWS}
    with tempfile.TemporaryDirectory() as folder:
        png, wav = Path(folder) / "picture.png", Path(folder) / "sound.wav"
        for name, picture in pictures.items():
            cv2.imwrite(str(png), np.rint(picture * 255).astype(np.uint8))
            begin = time.process_time()
            made = f2s.sonify(
                png, wav, timbre=timbre, seconds=seconds, low_hz=LOW_HZ, high_hz=HIGH_HZ,
                range_db=RANGE_DB, ink="bright", overwrite=True, **tuned,
            )  # fmt: skip
            spent += time.process_time() - begin
            sound, rate = soundfile.read(wav)
            heard[name] = heard_picture(sound, rate, axis, made.white_db)
    return heard, seconds * len(pictures) / spent


def _write_sheet(path: Path, shown: dict[str, np.ndarray], heard: dict[str, np.ndarray]) -> None:
    """Write pictures above what is heard of them."""
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = [np.hstack(list(each.values())) for each in (shown, heard)]
    gap = np.full((8, rows[0].shape[1]), 0.5)
    sheet = np.vstack([rows[0], gap, rows[1]])
    cv2.imwrite(str(path), np.rint(sheet * 255).astype(np.uint8))


if __name__ == "__main__":
    main()
