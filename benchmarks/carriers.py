"""What of a sound survives as a picture: through codecs, tools, and what others do.

    python benchmarks/carriers.py [FILM|SOUND ...] [--seconds 8]    a table in Markdown
    python benchmarks/carriers.py --speed [FILM]                    times real time, on one core

Without a film the sounds of demo films are drawn. Each number is the least, and in brackets the
median, over all sounds: the ratio of the sound to its difference from what comes back, in dB. For
magnitudes alone the waveform is not claimed; their spectral convergence is 20 log10 of the norm of
the difference of magnitudes over that of the magnitudes, for the others beside it.

The settings of riffusion (512 mel bands to 10 kHz, power 0.25, 8 bits, Griffin-Lim of 32 rounds)
and audio-diffusion (256 bands, 80 dB, 8 bits, as many rounds) are computed here with this
project's filterbank and Griffin-Lim, on the same sounds.
"""

from __future__ import annotations

import argparse
import io
import os
import tempfile
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
from PIL import Image

from frame2sound.carriers.colours import from_rgb, to_bytes, to_rgb
from frame2sound.carriers.page_reader import PictureSound
from frame2sound.carriers.page_source import Picture
from frame2sound.carriers.page_writer import draw_pages
from frame2sound.carriers.parameters import CarrierParameters, Kind
from frame2sound.carriers.picture_files import FilmWriter, read_pictures, write_picture
from frame2sound.carriers.plan import PageChoice, plan_pages
from frame2sound.carriers.sound_input import open_sound
from frame2sound.film.drawing.demo_films import load_scene
from frame2sound.film.drawing.scene_writer import write_scene
from frame2sound.sound.mel_scale import bands_to_bins, mel_filterbank
from frame2sound.sound.phase.griffin_lim import GriffinLim
from frame2sound.sound.stft import InverseStft, Stft

DEMO_FILMS = ("typing", "bounce", "theremin", "breeze")
RATE = 22_050
ROUNDS = 32

Tool = Callable[[np.ndarray], np.ndarray]
Way = Callable[[list[np.ndarray], CarrierParameters, Path], Iterator[Picture]]


class Excerpt:
    """The beginning of a sound at a rate, as a `SoundInput`."""

    is_film = False

    def __init__(self, path: Path, seconds: float, rate: int | None) -> None:
        source = open_sound(path)
        wanted = round(seconds * source.sample_rate)
        parts, done = [], 0
        for block in source.blocks():
            parts.append(block)
            done += len(block)
            if done >= wanted:
                break
        sound = np.concatenate(parts)[:wanted]
        self.path, self.sample_rate = path, rate or source.sample_rate
        if rate is not None and rate != source.sample_rate:
            from frame2sound.sound.resampler import resample

            count = round(len(sound) * rate / source.sample_rate)
            rates = source.sample_rate, rate
            sound = np.stack(
                [np.concatenate(list(resample([c], rates, 0, 0, count))) for c in sound.T], axis=-1
            )
        words = np.clip(np.rint(sound * 2**15), -(2**15), 2**15 - 1)
        self.sound = (words / 2**15).astype(np.float32)
        self.samples, self.channels = self.sound.shape

    def blocks(self) -> Iterator[np.ndarray]:
        """Yield the sound."""
        yield self.sound


def snr_db(sound: np.ndarray, other: np.ndarray) -> float:
    """Return how much louder a sound is than its difference from another."""
    return float(10 * np.log10(np.sum(sound**2) / max(np.sum((sound - other) ** 2), 1e-30)))


def levels(sound: np.ndarray, stft: Stft) -> np.ndarray:
    """Return the magnitudes of the first channel."""
    return stft.magnitude(sound[:, 0], stft.centres(len(sound)))


def convergence_db(sound: np.ndarray, other: np.ndarray) -> float:
    """Return the spectral convergence of a sound to another."""
    stft = Stft(1024, 256)
    wanted, got = levels(sound, stft), levels(other, stft)
    return float(20 * np.log10(np.linalg.norm(got - wanted) / np.linalg.norm(wanted)))


def log_distance_db(sound: np.ndarray, other: np.ndarray) -> float:
    """Return the log-spectral distance, over cells within 60 dB of the loudest."""
    stft = Stft(1024, 256)
    wanted, got = (20 * np.log10(levels(each, stft) + 1e-9) for each in (sound, other))
    loud = wanted > wanted.max() - 60
    return float(np.sqrt(np.mean((wanted - got)[loud] ** 2)))


def through(tool: Tool) -> Way:
    """Return a way on which a tool changes 8-bit pictures."""

    def way(pages: list, parameters: CarrierParameters, folder: Path) -> Iterator[Picture]:
        del parameters, folder
        for page in pages:
            yield Picture(tool(to_bytes(to_rgb(page))).astype(np.float32))

    return way


def through_png(pages: list, parameters: CarrierParameters, folder: Path) -> Iterator[Picture]:
    """Write PNGs and read them."""
    for number, page in enumerate(pages):
        path = folder / f"{number}.png"
        write_picture(path, page, parameters.on_page(number))
        yield from read_pictures(path)


def through_film(crf: int | None = None, keep: int = 1) -> Way:
    """Return a way through FFV1, or H.264, of which every ``keep``-th frame is left."""

    def way(pages: list, parameters: CarrierParameters, folder: Path) -> Iterator[Picture]:
        path = folder / "film.mkv"
        with FilmWriter(path, parameters, parameters.fps or Fraction(2), crf) as film:
            for page in pages:
                film.add(page)
        for number, picture in enumerate(read_pictures(path)):
            if number % keep == 0:
                yield picture

    return way


def jpeg(quality: int) -> Tool:
    """Return a tool that saves as JPEG, 4:2:0."""

    def tool(image: np.ndarray) -> np.ndarray:
        file = io.BytesIO()
        Image.fromarray(image).save(file, "JPEG", quality=quality, subsampling=2)
        return np.asarray(Image.open(file))

    return tool


def resized(image: np.ndarray) -> np.ndarray:
    """Enlarge to 200 % and back."""
    large = cv2.resize(image, None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC)
    return cv2.resize(large, image.shape[1::-1], interpolation=cv2.INTER_AREA)


def cropped(image: np.ndarray) -> np.ndarray:
    """Cut 3 % from each side."""
    down, across = (int(0.03 * side) for side in image.shape[:2])
    return image[down:-down, across:-across]


def gamma(image: np.ndarray) -> np.ndarray:
    """Darken with a gamma of 1.2."""
    return to_bytes(255 * (image / 255) ** 1.2)


def hue_hsv(image: np.ndarray) -> np.ndarray:
    """Turn the hue by 20 degrees in HSV."""
    hsv = cv2.cvtColor((image / 255).astype(np.float32), cv2.COLOR_RGB2HSV)
    hsv[..., 0] = (hsv[..., 0] + 20) % 360
    return to_bytes(255 * cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB))


def hue_chroma(image: np.ndarray) -> np.ndarray:
    """Turn chroma by 20 degrees, as FFmpeg's filter hue does."""
    planes = from_rgb(image.astype(float))
    turned = (planes[..., 1] + 1j * planes[..., 2]) * np.exp(1j * np.deg2rad(20))
    return to_bytes(to_rgb(np.stack([planes[..., 0], turned.real, turned.imag], axis=-1)))


def blurred(image: np.ndarray) -> np.ndarray:
    """Blur with a Gaussian of 0.7 pixels."""
    return cv2.GaussianBlur(image, (0, 0), 0.7)


def noisy(image: np.ndarray) -> np.ndarray:
    """Add noise of 4 levels."""
    noise = np.random.default_rng(0).normal(0, 4, image.shape)
    return to_bytes(image + noise)


SPECTRUM, SCROLL = {"kind": Kind.SPECTRUM}, {"kind": Kind.SCROLL}
CASES: list[tuple[str, dict, Way, float | None]] = [
    ("samples, PNG of 16 bits", {"kind": Kind.SAMPLES}, through_png, np.inf),
    ("samples, FFV1 of 16 bits", {"kind": Kind.SAMPLES}, through_film(), np.inf),
    ("spectrum, PNG", SPECTRUM, through_png, 40),
    ("spectrum, FFV1", SPECTRUM, through_film(), 40),
    ("JPEG 95, 4:2:0, cells of 2", SPECTRUM | {"cell": 2}, through(jpeg(95)), 21),
    *(
        (f"H.264, cells of {cell}, CRF {crf}", SPECTRUM | {"cell": cell}, through_film(crf), bar)
        for cell, crf, bar in (
            (2, 18, None), (2, 23, None), (2, 28, None), (4, 18, 23), (4, 23, 19), (4, 28, None)
        )
    ),
    ("scroll, FFV1", SCROLL, through_film(), None),
    *(
        (f"scroll, CRF {crf}", SCROLL, through_film(crf), bar)
        for crf, bar in ((18, 26), (23, 22), (28, 17))
    ),
    ("scroll, CRF 23, every second frame", SCROLL, through_film(23, keep=2), None),
    ("blur of 0.7", SPECTRUM, through(blurred), None),
    ("200 % and back", SPECTRUM, through(resized), 20),
    ("cropped by 3 % on each side", SPECTRUM, through(cropped), 20),
    ("gamma 1.2", SPECTRUM, through(gamma), 20),
    ("hue turned by 20 degrees in HSV", SPECTRUM, through(hue_hsv), 20),
    ("chroma turned by 20 degrees", SPECTRUM, through(hue_chroma), 20),
    ("noise of 4 levels", SPECTRUM, through(noisy), None),
    ("magnitude, PNG", {"kind": Kind.MAGNITUDE}, through_png, None),
]  # fmt: skip


def come_back(excerpt: Excerpt, choice: dict, way: Way) -> np.ndarray:
    """Return the sound that comes back."""
    parameters = plan_pages(excerpt, PageChoice(**choice))  # type: ignore[arg-type]
    pages = list(draw_pages(excerpt.blocks(), parameters))
    with tempfile.TemporaryDirectory() as folder:
        return np.concatenate(list(PictureSound(way(pages, parameters, Path(folder))).blocks()))


def mel_round_trip(sound: np.ndarray, rate: int, bands: int, *, power: bool) -> np.ndarray:
    """Return the sound of a mel spectrogram in 8 bits, by Griffin-Lim."""
    stft = Stft(1024, 256)
    weights = mel_filterbank(bands, stft.n_fft, rate)
    mel = levels(sound, stft).astype(np.float64) ** 2 @ weights
    top = mel.max()
    if power:
        shown = np.rint(255 * (mel / top) ** 0.125) / 255  # amplitude to the power of 0.25
        mel = top * shown**8
    else:
        shown = np.rint(255 * np.clip(1 + 10 * np.log10(mel / top + 1e-12) / 80, 0, 1)) / 255
        mel = top * 10 ** (8 * (shown - 1))
    magnitude = np.sqrt(np.maximum(bands_to_bins(mel, weights), 0)).astype(np.float32)
    spectra = GriffinLim(stft, ROUNDS).reconstruct(magnitude, np.zeros(len(magnitude), bool))
    inverse = InverseStft(stft)
    again = np.concatenate([inverse.process(spectra), inverse.flush(fade_out=False)])
    return again[: len(sound), None]


def table(excerpts: list[Excerpt]) -> None:
    """Print what survives."""
    print("| case | SNR, dB: least (median) | asked | convergence, dB | log distance, dB |")
    print("|---|---|---|---|---|", flush=True)

    def row(name: str, bar: float | None, pairs: list[tuple[np.ndarray, np.ndarray]]) -> None:
        snr = [snr_db(*pair) for pair in pairs]
        exact = all(np.array_equal(*pair) for pair in pairs)
        shown = "bit-exact" if exact else f"{min(snr):.1f} ({np.median(snr):.1f})"
        asked = "" if bar is None else "bit-exact" if bar == np.inf else f"{bar:g}"
        convergence = max(convergence_db(*pair) for pair in pairs) if not exact else -np.inf
        distance = max(log_distance_db(*pair) for pair in pairs)
        print(f"| {name} | {shown} | {asked} | {convergence:.1f} | {distance:.2f} |", flush=True)

    for name, choice, way, bar in CASES:
        row(name, bar, [(e.sound, come_back(e, choice, way)) for e in excerpts])
    for name, bands, power in (("riffusion's", 512, True), ("audio-diffusion's", 256, False)):
        pairs = [
            (e.sound[:, :1], mel_round_trip(e.sound, e.sample_rate, bands, power=power))
            for e in excerpts
        ]
        row(f"{name} settings", None, pairs)


def rates() -> None:
    """Print whether samples of all rates come back to the bit, mono and stereo."""
    for rate in (8000, 22_050, 44_100, 48_000, 96_000, 192_000):
        for channels in (1, 2):
            sound = np.random.default_rng(rate).uniform(-1, 1, (rate, channels))
            excerpt = object.__new__(Excerpt)
            excerpt.path, excerpt.sample_rate = Path("noise.wav"), rate
            excerpt.sound = (np.floor(sound * 2**15) / 2**15).astype(np.float32)
            excerpt.samples, excerpt.channels = excerpt.sound.shape
            for way in (through_png, through_film()):
                again = come_back(excerpt, {"kind": Kind.SAMPLES}, way)
                assert np.array_equal(again, excerpt.sound), (rate, channels)
    print("samples: 8 to 192 kHz, mono and stereo, PNG and FFV1: bit-exact", flush=True)


def cpu_seconds() -> float:
    """Return the processor time of this process and of those that it started and that ended."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def codec_seconds(path: Path, parameters: CarrierParameters, crf: int | None) -> float:
    """Return the CPU seconds in which FFmpeg encodes and decodes the frames of a film, no more."""
    frames = list(decoded(path))
    began = cpu_seconds()
    with FilmWriter(
        path.with_name("again.mkv"), parameters, parameters.fps or Fraction(2), crf
    ) as film:
        film._stream = film._begin(frames[0].height, frames[0].width)
        for frame in frames:
            frame.pts, frame.pict_type = None, 0
            film._output.mux(film._stream.encode(frame))
    for _ in decoded(film.path):
        pass
    return cpu_seconds() - began


def decoded(path: Path) -> Iterator[av.VideoFrame]:
    """Yield the frames of a film."""
    with av.open(str(path)) as film:
        film.streams.video[0].thread_count = 1
        yield from film.decode(film.streams.video[0])


def speed(path: Path, seconds: float) -> None:
    """Print how many times the CPU seconds of writing and reading fit into those of the sound."""
    excerpt = Excerpt(path, seconds, None)
    lasts = excerpt.samples / excerpt.sample_rate
    for name, choice, crf in (
        ("samples, FFV1", {"kind": Kind.SAMPLES}, None),
        ("spectrum, FFV1", SPECTRUM, None),
        ("spectrum, H.264, cells of 2", SPECTRUM | {"cell": 2}, 23),
        ("spectrum, H.264, cells of 4", SPECTRUM | {"cell": 4}, 23),
        ("scroll, FFV1", SCROLL, None),
        ("scroll, H.264", SCROLL, 23),
        ("magnitude, FFV1", {"kind": Kind.MAGNITUDE}, None),
    ):
        parameters = plan_pages(excerpt, PageChoice(**choice))  # type: ignore[arg-type]
        with tempfile.TemporaryDirectory() as folder:
            film_path, began = Path(folder) / "film.mkv", cpu_seconds()
            with FilmWriter(film_path, parameters, parameters.fps or Fraction(2), crf) as film:
                for page in draw_pages(excerpt.blocks(), parameters):
                    film.add(page)
            written = cpu_seconds()
            for _ in PictureSound(read_pictures(film_path)).blocks():
                pass
            read = cpu_seconds()
            codec = codec_seconds(film_path, parameters, crf)
        parts = {"written": written - began, "read": read - written, "both": read - began}
        parts["codec alone"] = codec
        times = ", ".join(f"{part} {lasts / cost:.1f}" for part, cost in parts.items())
        print(f"{name}: {times} times real time", flush=True)


def main() -> None:
    """Run what the arguments ask for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("sounds", nargs="*", type=Path)
    parser.add_argument("--seconds", type=float, default=8)
    parser.add_argument("--rate", type=int, default=RATE, help="0 for the sound's own")
    parser.add_argument("--only", default="", help="cases whose names contain this")
    parser.add_argument("--speed", action="store_true")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        paths = args.sounds
        for film in () if paths else DEMO_FILMS:
            path = Path(name) / f"{film}.mp4"
            write_scene(load_scene(film, seconds=args.seconds, seed=1, size=(64, 64)), path)
            paths = [*paths, path]
        if args.speed:
            os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
            speed(paths[0], args.seconds)
            return
        if not args.only:
            rates()
        CASES[:] = [case for case in CASES if args.only in case[0]]
        table([Excerpt(path, args.seconds, args.rate or None) for path in paths])


if __name__ == "__main__":
    main()
