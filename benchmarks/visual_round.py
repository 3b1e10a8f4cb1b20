"""Send sounds of demo films through visual tools, and write pictures and sounds for the page on it.

Needs ImageMagick 6 (`convert`) and FFmpeg with libopus on the path. Each round runs
`frame2sound to-picture --through` as the page shows it; figures, pictures and players are written
between two marks of the page, and the media into a folder beside it.

    python benchmarks/visual_round.py [NAME ...]

With names only those rounds run, and the others stay as they are on the page.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import soundfile
from PIL import Image

import frame2sound as f2s

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "how-to" / "visual-round.md"
MEDIA = PAGE.with_suffix("")
FIGURES = MEDIA / "figures.json"
BEGIN, END = "<!-- rounds: begin -->", "<!-- rounds: end -->"

SECONDS = 6
N_FFT, HOP, RANGE_DB = 2048, 480, 70
PANEL = (400, 240)
FRAME_SECONDS = 2


@dataclass(frozen=True)
class Round:
    """A sound that goes through a tool.

    Attributes
    ----------
    title, film, out, options, command : str
        Heading, demo film, output, options of ``to-picture``, and the tool.
    seen, heard : str
        What the tool does to the picture, and what the ear gets.
    """

    title: str
    film: str
    out: str
    options: str
    command: str
    seen: str
    heard: str

    @property
    def name(self) -> str:
        """Return what the output is called."""
        return Path(self.out).stem

    def line(self) -> str:
        """Return the command line as a user types it."""
        options = f" {self.options}" if self.options else ""
        return (
            f"frame2sound to-picture {self.film}.mp4 -o {self.out}{options} \\\n"
            f'    --through "{self.command}"'
        )

    def words(self) -> list[str]:
        """Return the words of the command line, without the program."""
        return shlex.split(self.line().replace("\\\n", " "))[1:]


CELLS = "1512x384+72+112"
"""The cells of a mono sound of 6 s: what is not the strip."""

LEVELS = "split[a][b];[b]crop=136:1024:48:88,{filter}[c];[a][c]overlay=48:88:format=gbrp"
"""An FFmpeg filter on the grey levels of a stereo scrolling film alone."""


def _on_levels(words: str) -> str:
    filters = LEVELS.replace("{filter}", words)
    return f"ffmpeg -v error -i {{in}} -filter_complex {filters} -c:v ffv1 {{out}}"


ROUNDS = (
    Round("Hues turned: nothing is heard", "bounce", "hue.png", "",
          "convert {in} -modulate 100,100,130 {out}",
          "Each hue is turned by 54 degrees, and with it each phase.",
          "Nothing: the strip's wheels of hues have turned too, and so the turn is seen and "
          "undone."),
    Round("Swirl", "bounce", "swirl.png", "", "convert {in} -swirl 20 {out}",
          "The picture is turned about its middle, by 20 degrees there and less farther out. "
          "The strip stands outside.",
          "Left, the bells' notes of 200 to 500 Hz are 19 dB fainter: in the first half they "
          "sink below the lowest row, in the second they glide up to several kilohertz. Right, "
          "whose lowest rows are far from the middle, they stay, 4 dB fainter. Clicks lean, and"
          " become short chirps."),
    Round("Oil paint", "typing", "paint.png", "", "convert {in} -paint 2 {out}",
          "Each pixel gets the colour that is most frequent around it.",
          "Rough and dull: an area of one hue has one phase, which is that of no steady tone, "
          "so that notes spread over neighbouring frequencies. Above 10 kHz clicks are 3 to 7 "
          "dB fainter."),
    Round("Thick lines", "bounce", "dilate.png", "--carrier magnitude",
          "convert {in} -morphology Dilate Disk:2 {out}",
          "Each bright line grows by two pixels on all sides.",
          "A cluster instead of each bell: a row is 62.5 Hz, so that each partial becomes a "
          "band of 250 Hz and more, over a rumble. It is 6 dB louder in all, and clipped. "
          "Onsets come 8 ms early, and clicks are bursts of noise."),
    Round("Waves, on the cells alone", "theremin", "wave.png", "--carrier magnitude",
          f"convert {{in}} ( {{in}} -crop {CELLS} +repage -background black -wave 12x300 "
          "-gravity center -crop 1512x384+0+0 +repage ) -gravity northwest "
          "-geometry +72+112 -composite {out}",
          "The cells go up and down, 12 rows each way in 300 columns; ImageMagick puts them "
          "back between the marks. Waving the whole picture bends the marks too: see below.",
          "A siren. All partials glide by the same 750 Hz up and down, so that they are no "
          "harmonics any more, and sink to nothing where the wave takes the lowest below the "
          "edge."),
    Round("Half the size", "bounce", "half.png", "--cell 2", "convert {in} -resize 50% {out}",
          "The picture is made half as large; cells had two pixels, and have one now.",
          "Almost nothing: the marks tell the scale. It is 1.7 dB quieter, evenly, above 5 kHz "
          "by 0.7."),
    Round("Trails", "typing", "trails.mkv", "--carrier scroll",
          _on_levels("lagfun=decay=0.96"),
          "Of the three planes the grey levels alone get trails that fade by 4 % a frame.",
          "Notes ring on, and each click comes again with each frame, 25 times a second: a buzz "
          "that fades, and still fills the pause of a second."),
    Round("An echo by mixing frames", "typing", "echo.mkv", "--carrier scroll",
          _on_levels("split[d][e];[e]tpad=start=8[f];[d][f]blend=all_mode=lighten:shortest=1"),
          "Of the grey levels, the brighter of a frame and of the one 8 frames earlier is kept.",
          "Each key comes again 0.32 s later, some 6 dB fainter in all and rough: levels are "
          "copied, but phases are those that were drawn there, or guessed."),
    Round("Frames mixed, strip and all", "theremin", "mixed.mkv", "--carrier scroll",
          "ffmpeg -v error -i {in} -vf tmix=frames=3 -c:v ffv1 {out}",
          "Each frame is the mean of three, and so is its strip.",
          "The tone stays, and flutters: frames show different times in the same place, so that "
          "their phases cancel now and then. Only the first frame's code can still be read; "
          "the others are taken in their order."),
    Round("A smoother that keeps edges", "bounce", "smooth.png", "--carrier magnitude",
          "python benchmarks/picture_tools.py smooth {in} {out}",
          "OpenCV's filter flattens areas and keeps edges.",
          "Softer: clicks are 5 dB fainter and notes 2, and the notes are rough, as levels "
          "beside a partial are raised and phases are guessed."),
    Round("A network that was never trained", "bounce", "network.png", "--carrier magnitude",
          "python benchmarks/picture_tools.py network {in} {out}",
          "Two convolutions with random weights, and no training. Its green is what it makes of"
          " black.",
          "Clicks are 14 dB louder, notes 2 to 8, up to clipping, and rough. The marks' greys "
          "show the curve of levels, which is undone; what the network draws beside each line "
          "stays."),
)  # fmt: skip


def require_tools() -> None:
    """End with a message if a program that the rounds run is missing."""
    for program, package in (("convert", "ImageMagick 6"), ("ffmpeg", "FFmpeg")):
        if shutil.which(program) is None:
            sys.exit(f"{program} is not on the path; install {package}")


def run_round(each: Round, folder: Path) -> list[str]:
    """Run a round in a folder; return what ``to-picture`` prints."""
    environment = os.environ | {
        "PYTHONPATH": str(ROOT),
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
    }
    words = [sys.executable, "-m", "frame2sound", *each.words(), "--overwrite"]
    words = [word.replace("benchmarks/", f"{ROOT}/benchmarks/") for word in words]
    made = subprocess.run(words, cwd=folder, capture_output=True, text=True, env=environment)
    if made.returncode:
        sys.exit(f"{each.name}: {made.stderr.strip()}")
    return made.stdout.strip().splitlines()


def film_sound(film: str, folder: Path) -> Path:
    """Draw a film, and return its sound as a WAV."""
    path, wav = folder / f"{film}.mp4", folder / f"{film}.wav"
    f2s.draw_film(film, path, seconds=SECONDS)
    ffmpeg("-i", path, wav)
    return wav


def ffmpeg(*words: object) -> None:
    """Run FFmpeg, or end."""
    line = ["ffmpeg", "-v", "error", "-y", *map(str, words)]
    made = subprocess.run(line, capture_output=True, text=True)
    if made.returncode:
        sys.exit(f"ffmpeg failed: {made.stderr.strip()}")


def picture_panel(path: Path) -> np.ndarray:
    """Return a picture, or a frame of a film, that fits a panel, as RGB."""
    if path.suffix == ".mkv":
        frame = path.with_suffix(".frame.png")
        ffmpeg("-ss", FRAME_SECONDS, "-i", path, "-frames:v", 1, frame)
        path = frame
    picture = Image.open(path).convert("RGB")
    picture.thumbnail(PANEL, Image.Resampling.LANCZOS)
    return on_panel(np.asarray(picture))


def on_panel(picture: np.ndarray) -> np.ndarray:
    """Return a picture in the middle of a white panel."""
    panel = np.full((PANEL[1], PANEL[0], 3), 255, np.uint8)
    top, left = (
        (have - got) // 2 for have, got in zip(panel.shape, picture.shape[:2], strict=False)
    )
    panel[top : top + picture.shape[0], left : left + picture.shape[1]] = picture
    return panel


def levels_db(sound: np.ndarray) -> np.ndarray:
    """Return levels ``(bins, windows)`` in dB of full scale, of all channels' energy."""
    window = np.hanning(N_FFT)
    padded = np.pad(sound, ((N_FFT // 2, N_FFT // 2), (0, 0)))
    frames = np.lib.stride_tricks.sliding_window_view(padded, N_FFT, axis=0)[::HOP]
    spectra = np.abs(np.fft.rfft(frames * window)) / (window.sum() / 2)
    return np.asarray(20 * np.log10(np.sqrt((spectra**2).mean(axis=1)) + 1e-9)).T


def sound_panel(wav: Path) -> np.ndarray:
    """Return a spectrogram of 60 Hz to 16 kHz, logarithmic, black at the top of its range."""
    sound, rate = soundfile.read(wav, always_2d=True)
    levels = levels_db(sound)
    bins = np.geomspace(16_000, 60, PANEL[1]) * N_FFT / rate
    rows = np.stack(
        [np.interp(bins, np.arange(len(levels)), column) for column in levels.T], axis=1
    )
    grey = 255 * np.clip(-(rows + 20) / RANGE_DB, 0, 1)
    scaled = cv2.resize(grey, PANEL, interpolation=cv2.INTER_AREA).astype(np.uint8)
    return cv2.applyColorMap(255 - scaled, cv2.COLORMAP_INFERNO)[..., ::-1]


def save_sheet(panels: list[np.ndarray], out: Path) -> None:
    """Write panels in two rows: pictures above, spectrograms below; before left, after right."""
    gap = np.full((PANEL[1], 6, 3), 255, np.uint8)
    rows = [np.hstack([panels[n], gap, panels[n + 1]]) for n in (0, 2)]
    line = np.full((6, rows[0].shape[1], 3), 255, np.uint8)
    Image.fromarray(np.vstack([rows[0], line, rows[1]])).save(out, quality=72, method=6)


def describe(wav: Path) -> str:
    """Return level, peak, and spectral centroid of a sound."""
    sound, rate = soundfile.read(wav, always_2d=True)
    energy = 10 ** (levels_db(sound) / 10)
    places = np.arange(len(energy)) * rate / N_FFT
    centroid = float((energy.sum(axis=1) * places).sum() / energy.sum())
    level = 10 * math.log10(float((sound**2).mean()) + 1e-12)
    return f"{level:.1f} dBFS, peak {np.abs(sound).max():.2f}, centroid {centroid:.0f} Hz"


def section(each: Round, figures: list[str]) -> str:
    """Return a round's part of the page."""
    film, made = f"{MEDIA.name}/{each.film}.ogg", f"{MEDIA.name}/{each.name}.ogg"
    parts = [
        f"## {each.title}",
        each.seen,
        f"```sh\n{each.line()}\n```",
        f"![Pictures and spectrograms, before and after]({MEDIA.name}/{each.name}.webp)",
        f"| [before]({film}) | [after]({made}) |\n|---|---|\n"
        f'| <audio controls preload="none" src="{film}"></audio> '
        f'| <audio controls preload="none" src="{made}"></audio> |',
        "\n".join(["```text", *figures, "```"]),
        each.heard,
    ]
    return "\n\n".join(filter(None, parts))


def main() -> None:
    """Run rounds, and write their media; all of them, also the page."""
    names = [each.name for each in ROUNDS]
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"Rounds: {', '.join(names)}.")
    chosen = parser.parse_args().names or names
    if unknown := set(chosen) - set(names):
        parser.error(f"got {', '.join(sorted(unknown))}, expected some of {', '.join(names)}")
    require_tools()
    MEDIA.mkdir(exist_ok=True)
    figures = json.loads(FIGURES.read_text(encoding="utf-8")) if FIGURES.exists() else {}
    with tempfile.TemporaryDirectory() as name:
        figures |= run_rounds([each for each in ROUNDS if each.name in chosen], Path(name))
    FIGURES.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    PAGE.write_text(filled(PAGE.read_text(encoding="utf-8"), figures), encoding="utf-8")


def run_rounds(rounds: list[Round], folder: Path) -> dict[str, list[str]]:
    """Run rounds, write their media, and return what ``to-picture`` printed."""
    figures, sounds = {}, {}
    for film in sorted({each.film for each in rounds}):
        sounds[film] = film_sound(film, folder)
        ffmpeg(
            "-i", sounds[film], "-bitexact", "-c:a", "libopus", "-b:a", "64k", MEDIA / f"{film}.ogg"
        )
        print(film, describe(sounds[film]))
    for each in rounds:
        printed = run_round(each, folder)
        wav, before = folder / f"{each.out}.wav", folder / f"before-{each.out}"
        carrier = each.options.partition("--carrier ")[2] or "spectrum"
        f2s.to_picture(folder / f"{each.film}.mp4", before, carrier=carrier)  # type: ignore[arg-type]
        pictures = [picture_panel(path) for path in (before, folder / each.out)]
        spectrograms = [sound_panel(path) for path in (sounds[each.film], wav)]
        save_sheet(pictures + spectrograms, MEDIA / f"{each.name}.webp")
        ffmpeg("-i", wav, "-bitexact", "-c:a", "libopus", "-b:a", "64k", MEDIA / f"{each.name}.ogg")
        print(each.name, describe(wav), *printed[1:], sep="\n  ", flush=True)
        figures[each.name] = printed[1:]
    return figures


def filled(page: str, figures: dict[str, list[str]]) -> str:
    """Return the page with the rounds that have figures between its marks."""
    head, _, rest = page.partition(BEGIN)
    sections = [section(each, figures[each.name]) for each in ROUNDS if each.name in figures]
    return head + "\n\n".join([BEGIN, *sections, END]) + rest.partition(END)[2]


if __name__ == "__main__":
    main()
