"""The raster kind: pictures of 64 x 64 pixels, of photographs or drawings, and sounds."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

import frame2sound as f2s
from frame2sound.errors import RecipeError, SynaesthesiaError, TrainingError
from frame2sound.synaesthesia.descriptors import DRAWING_WORDS
from frame2sound.synaesthesia.drawings import Drawings
from frame2sound.synaesthesia.moving_drawing import MovingDrawing
from frame2sound.synaesthesia.notes import make_notes, write_notes
from frame2sound.synaesthesia.painter import paint_pictures
from frame2sound.synaesthesia.pair import Pair, spectrum_directions
from frame2sound.synaesthesia.pair_file import load_pair, save_pair
from frame2sound.synaesthesia.picture_measures import describe_pictures
from frame2sound.synaesthesia.picture_networks import SpectrumPictures
from frame2sound.synaesthesia.pictures import load_drawings_of_kind, strokes_of_kind
from frame2sound.synaesthesia.recipe import load_synaesthesia_recipe
from frame2sound.synaesthesia.report_page import write_report
from frame2sound.synaesthesia.report_rows import measure_and_describe
from frame2sound.synaesthesia.sound_windows import RATE, fit_components
from frame2sound.synaesthesia.sounds import Sounds, sounds_of_windows
from frame2sound.synaesthesia.squiggles import draw_squiggles
from frame2sound.synaesthesia.training import PairTrainer, train_pair

SMALL = [
    "training.batch=8",
    "training.steps=3",
    "network.channels=4",
    "network.hidden=16",
    "network.components=12",
    "clips=4",
]

Examples = tuple[Sounds, Drawings]


@pytest.fixture(scope="module")
def examples() -> Examples:
    names, windows = zip(*make_notes(32, 0), strict=True)
    sounds = sounds_of_windows(list(names), np.stack(windows))
    return sounds, strokes_of_kind("raster", draw_squiggles(32, 0))


@pytest.fixture(scope="module")
def pair(examples: Examples) -> Pair:
    return train_pair(*examples, load_synaesthesia_recipe("raster", SMALL), seed=5)


@pytest.fixture(scope="module")
def photographs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pictures without paper: clouds of three colours, each with another light."""
    folder = tmp_path_factory.mktemp("photographs")
    rng = np.random.default_rng(0)
    for number in range(32):
        clouds = cv2.resize(rng.random((5, 5, 3)), (80, 60), interpolation=cv2.INTER_CUBIC)
        picture = np.clip(255 * clouds * (0.4 + 0.6 * number / 31), 0, 255)
        cv2.imwrite(str(folder / f"{number:02d}.png"), picture.astype(np.uint8))
    return folder


def disc(radius: float, x: float = 0.5, y: float = 0.5, ink: float = 1.0) -> torch.Tensor:
    places = (torch.arange(64) + 0.5) / 64
    inside = (places[None] - x) ** 2 + (places[:, None] - y) ** 2 < radius**2
    return ink * inside.float()[None]


def measures(picture: torch.Tensor) -> dict[str, float]:
    return dict(zip(DRAWING_WORDS, describe_pictures(picture[None])[0].tolist(), strict=True))


def test_measures_of_a_disc() -> None:
    small, large = measures(disc(0.15)), measures(disc(0.3, ink=0.5))
    assert large["darkness"] == pytest.approx(0.5 * np.pi * 0.3**2, rel=0.02)
    # The root mean square distance from the middle of a disc is its radius over root 2.
    assert small["size"] == pytest.approx(np.log(0.15 / np.sqrt(2)), abs=0.02)
    assert large["size"] == pytest.approx(np.log(0.3 / np.sqrt(2)), abs=0.02)
    # Changes along rows and columns add up to four diameters; ink is pi r squared.
    assert small["thickness"] == pytest.approx(np.log(np.pi * 0.15 / 8), abs=0.08)
    assert large["thickness"] - small["thickness"] == pytest.approx(np.log(2), abs=0.1)
    aside = measures(disc(0.1, x=0.7, y=0.2))
    assert (aside["side"], aside["height"]) == pytest.approx((0.7, 0.8), abs=0.01)


def test_a_star_is_spikier_than_a_disc_and_a_blank_page_has_measures() -> None:
    turn = np.arange(10) * np.pi / 5
    radius = np.where(np.arange(10) % 2, 8, 28)[:, None]
    corners = 32 + radius * np.stack([np.cos(turn), np.sin(turn)], axis=1)
    page = np.zeros((64, 64), np.uint8)
    cv2.fillPoly(page, [np.rint(corners).astype(np.int32)], 1)
    assert (
        measures(torch.from_numpy(page).float()[None])["spikiness"]
        > 0.3 + (measures(disc(0.25))["spikiness"])
    )
    assert np.isfinite(list(measures(torch.zeros(1, 64, 64)).values())).all()


def test_spectra_as_pictures_and_back_are_exact(examples: Examples) -> None:
    spectra = examples[0].spectra
    parts = fit_components(spectra, 12)
    pictures = SpectrumPictures(spectrum_directions(12, parts))
    components = torch.from_numpy(parts.transform(spectra))
    shown = pictures(components)
    assert shown.shape == (len(spectra), 1, 48, 48) and not shown[:, :, 42:].any()
    expected = (parts.mean + (components.numpy() * parts.scales) @ parts.directions).reshape(
        -1, 42, 48
    )
    found = 20 * shown[:, 0, :42].numpy() + parts.mean.reshape(42, 48)
    assert found == pytest.approx(expected, abs=1e-2)
    assert pictures.components(shown).numpy() == pytest.approx(components.numpy(), abs=1e-3)


def test_steps_lower_the_loss_and_are_deterministic(examples: Examples, pair: Pair) -> None:
    recipe = load_synaesthesia_recipe("raster", [*SMALL, "training.batch=32", "training.steps=60"])

    def losses(seed: int, steps: int) -> list[float]:
        torch.manual_seed(seed)
        trainer = PairTrainer(*examples, recipe)
        return [trainer.step()["correlation"] for _ in range(steps)]

    first = losses(1, 9)
    assert np.mean(first[-3:]) < 0.7 * np.mean(first[:3])
    assert losses(1, 2) == first[:2]
    assert losses(2, 1) != first[:1]


def test_a_file_gives_the_pair_again_to_the_bit(pair: Pair, tmp_path: Path) -> None:
    path = tmp_path / "pair.safetensors"
    save_pair(pair, path)
    loaded = load_pair(path)
    drawn = pair.draw(pair.clips)
    assert drawn.shape == (4, 1, 64, 64) and 0 <= drawn.min() < drawn.max() <= 1
    assert np.array_equal(loaded.draw(pair.clips), drawn)
    assert np.array_equal(loaded.read(drawn), pair.read(drawn))
    assert np.array_equal(pair.rasters(drawn), drawn)
    path.write_bytes(path.read_bytes().replace(b"raster", b"broken", 2))
    with pytest.raises(SynaesthesiaError, match="broken"):
        load_pair(path)


def test_photographs_and_drawings_are_read_as_they_are(photographs: Path, tmp_path: Path) -> None:
    read = load_drawings_of_kind("raster", [photographs], 3)
    assert read.rasters.shape == (32, 3, 64, 64) and read.strokes.shape == (32, 0)
    assert read.rasters[0].mean() > read.rasters[-1].mean() + 0.2
    half = np.full((64, 64, 3), 255, np.uint8)
    half[:, 32:] = (0, 0, 255)
    cv2.imwrite(str(tmp_path / "red.png"), half)
    (ink,) = load_drawings_of_kind("raster", [tmp_path / "red.png"], 3).rasters
    assert ink[:, 30, 60] == pytest.approx([0, 1, 1], abs=0.01) and not ink[:, :, :31].any()
    with pytest.raises(SynaesthesiaError, match="use the recipe raster"):
        load_drawings_of_kind("strokes", [photographs])


def test_photographs_train_a_pair_that_draws_and_sings(photographs: Path, tmp_path: Path) -> None:
    list(write_notes(tmp_path, 32, seed=1))
    pair = f2s.train_pair(
        tmp_path, photographs, tmp_path / "p.safetensors", recipe="raster", device="cpu",
        settings=[*SMALL, "colours=3", "training.steps=2"],
    )  # fmt: skip
    sound = sorted(tmp_path.glob("*.wav"))[0]
    drawn = f2s.draw_sound(sound, tmp_path / "d.mkv", pair=pair, fps=4, size=64, voices=2)
    assert drawn.lines() == [f"{tmp_path / 'd.mkv'}  4 drawings  1.000 s"]
    f2s.draw_sound(sound, tmp_path / "d.png", pair=tmp_path / "p.safetensors", size=128)
    assert cv2.imread(str(tmp_path / "d.png")).shape == (128, 128, 3)
    for name in ("d.svg", "folder"):
        with pytest.raises(SynaesthesiaError, match=r"which no SVG can hold; write a \.png"):
            f2s.draw_sound(sound, tmp_path / name, pair=pair)
    sung = f2s.sing_drawing(tmp_path / "d.mkv", tmp_path / "sung.wav", pair=pair)
    assert (sung.drawings, sung.seconds) == (4, 1.0)
    with pytest.raises(TrainingError, match="device=tpu"):
        f2s.train_pair(tmp_path, photographs, recipe="raster", device="tpu")


def test_pictures_are_not_drawn_live(pair: Pair) -> None:
    with pytest.raises(SynaesthesiaError, match="expected one that draws strokes"):
        f2s.draw_live(pair=pair, offline=True, sound="none.wav")


def test_a_report_of_pictures_has_their_measures(
    pair: Pair, examples: Examples, tmp_path: Path
) -> None:
    sounds, drawings = examples
    rows = measure_and_describe(pair, sounds, drawings, drawings)
    named = {name: value for name, value, _ in rows}
    assert 0 < named["error there and back"] < 3 and named["diversity of pictures"] > 0
    assert abs(named["loudness=darkness, as drawn"]) <= 1
    write_report(tmp_path / "pair.html", pair, sounds, rows)
    page = (tmp_path / "pair.html").read_text()
    assert page.count("<figure") == 24 and page.count("data:image/png") == 48
    assert f"{named['own sound found first']:.3f}" in page


def test_voices_are_laid_over_each_other_in_hues_and_silence_is_white() -> None:
    def draw_spectra(spectra: np.ndarray) -> np.ndarray:
        return np.tile(disc(0.3).numpy(), (len(spectra), 1, 1, 1))

    tone = 0.5 * np.sin(2 * np.pi * 2500 * np.arange(RATE) / RATE, dtype=np.float32)
    (alone,) = MovingDrawing(draw_spectra, 25).frame(tone[None])
    assert np.array_equal(alone, disc(0.3).numpy())
    voices = MovingDrawing(draw_spectra, 25, voices=3).frame(tone[None])
    assert voices.shape == (3, 3, 64, 64)
    assert voices[[0, 2]].max() == 0 and voices[1].max() > 0.5
    picture = paint_pictures(voices, 128)
    assert picture.shape == (128, 128, 3)
    assert (picture[0, 0] == 255).all() and np.ptp(picture[64, 64].astype(int)) > 100
    both = paint_pictures(np.stack([disc(0.3, ink=0.5).numpy()] * 2), 64)
    assert both[32, 32].tolist() == [64, 64, 64]


def test_kinds_of_recipes_are_read_strictly() -> None:
    assert load_synaesthesia_recipe("raster").kind == "raster"
    with pytest.raises(RecipeError, match="kind"):
        load_synaesthesia_recipe("raster", ["kind=voxels"])
