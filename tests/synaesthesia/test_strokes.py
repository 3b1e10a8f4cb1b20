"""Strokes, their rasters and their measures."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from frame2sound.errors import SynaesthesiaError
from frame2sound.synaesthesia import raster
from frame2sound.synaesthesia.descriptors import (
    DRAWING_WORDS,
    correlation,
    describe_outlines,
    describe_sounds,
    parse_pairings,
)
from frame2sound.synaesthesia.raster import rasterise, rasterise_outlines
from frame2sound.synaesthesia.squiggles import draw_squiggles
from frame2sound.synaesthesia.stroke import (
    RADIUS,
    WIDTH,
    fit_stroke,
    stroke_inks,
    stroke_points,
    stroke_widths,
)


def circle(radius: float, width: float = 0.05, ink: float = 1.0) -> torch.Tensor:
    stroke = torch.zeros(1, 37)
    stroke[:, :2], stroke[:, RADIUS], stroke[:, WIDTH] = 0.5, np.log(radius), np.log(width)
    stroke[:, -1] = ink
    return stroke


def measures(stroke: torch.Tensor) -> dict[str, float]:
    values = describe_outlines(stroke_points(stroke), stroke_widths(stroke), stroke_inks(stroke))
    return dict(zip(DRAWING_WORDS, values[0].tolist(), strict=True))


@pytest.mark.parametrize(("radius", "width"), [(0.3, 0.05), (0.2, 0.02), (0.1, 0.08)])
def test_a_circles_raster_has_the_area_of_its_line(radius: float, width: float) -> None:
    inked = float(rasterise(circle(radius, width, 0.8)).mean())
    assert inked == pytest.approx(0.8 * 2 * np.pi * radius * width, rel=0.03)


def test_ink_lies_on_the_line_and_nowhere_else() -> None:
    raster = rasterise(circle(0.25, 4 / 32))[0, 0]
    assert raster[16, 24] > 0.97
    assert raster[16, 16] < 0.01
    assert raster[0, 0] < 0.01


def test_the_gradient_of_a_raster_is_that_of_finite_differences() -> None:
    torch.manual_seed(0)
    stroke = torch.from_numpy(draw_squiggles(1, 4)).double().requires_grad_()
    weights = torch.randn(1, 1, 32, 32, dtype=torch.float64)
    (weights * rasterise(stroke)).sum().backward()
    for at in (0, 1, RADIUS, 5, 10, WIDTH, 36):
        shifted = stroke.detach().repeat(2, 1)
        shifted[:, at] += torch.tensor([1e-6, -1e-6])
        above, below = (weights * rasterise(shifted)).sum(dim=(1, 2, 3))
        assert float(stroke.grad[0, at]) == pytest.approx(float(above - below) / 2e-6, rel=1e-3)


def test_the_distance_is_to_sides_and_not_to_corners() -> None:
    square = torch.tensor([[[0.25, 0.25], [0.75, 0.25], [0.75, 0.75], [0.25, 0.75]]])
    raster = rasterise_outlines(square, torch.tensor([2 / 32]), torch.ones(1, 1))[0, 0]
    assert float(raster.mean()) == pytest.approx(2.0 * 2 / 32, rel=0.05)
    assert raster[7, 16] == pytest.approx(raster[16, 7])


def test_the_points_of_a_long_line_are_compared_in_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """All at once, 100000 points and 64 x 64 pixels would take 1.6 GB."""
    strokes = torch.from_numpy(draw_squiggles(4, 6))
    whole = rasterise(strokes)
    monkeypatch.setattr(raster, "BLOCK", 7)
    assert torch.equal(rasterise(strokes), whole)


def test_the_fit_of_a_strokes_points_is_the_stroke() -> None:
    for stroke in draw_squiggles(8, 2):
        points = stroke_points(torch.from_numpy(stroke[None]))[0].double().numpy()
        assert fit_stroke(points, np.exp(stroke[WIDTH]), stroke[-1:]) == pytest.approx(
            stroke, abs=1e-4
        )


def test_the_fit_of_a_square_is_nearly_square() -> None:
    side = np.linspace(0.3, 0.7, 9)[:-1]
    far, near = np.full(8, 0.7), np.full(8, 0.3)
    ways = [(side, near), (far, side), (side[::-1] + 0.05, far), (near, side[::-1] + 0.05)]
    points = np.concatenate([np.stack(way, axis=1) for way in ways])
    fitted = fit_stroke(points, 0.02, np.ones(1))
    assert fitted[:2] == pytest.approx([0.5, 0.5], abs=1e-3)
    drawn = stroke_points(torch.from_numpy(fitted[None]))[0].numpy()
    assert np.abs(np.abs(drawn - 0.5).max(axis=1) - 0.2).max() < 0.02


@pytest.mark.parametrize("points", [[[0.1, 0.1], [0.9, 0.9]], [[0.1, 0.1], [0.5, 0.5], [0.9, 0.9]]])
def test_an_outline_without_area_has_no_stroke(points: list[list[float]]) -> None:
    with pytest.raises(ValueError, match="no area"):
        fit_stroke(np.array(points), 0.1, np.ones(1))


def test_squiggles_are_on_the_page_and_fit_it() -> None:
    strokes = torch.from_numpy(draw_squiggles(200, 0))
    points, reach = stroke_points(strokes), stroke_widths(strokes)[:, None, None] / 2
    assert float((points - reach).min()) > -1e-6 and float((points + reach).max()) < 1 + 1e-6
    assert np.array_equal(draw_squiggles(3, 0), draw_squiggles(5, 0)[:3])


def test_measures_of_a_circle() -> None:
    found = measures(circle(0.2, 0.05, 0.7))
    assert found["size"] == pytest.approx(np.log(0.2), abs=1e-4)
    assert found["spikiness"] == pytest.approx(np.log(1e-3), abs=0.4)
    assert found["darkness"] == pytest.approx(0.7)
    assert found["thickness"] == pytest.approx(np.log(0.05), abs=1e-5)
    assert found["height"] == pytest.approx(0.5, abs=1e-5)


def test_a_star_is_spikier_than_a_circle_and_as_spiky_as_a_larger_star() -> None:
    star, larger = circle(0.1), circle(0.2)
    star[:, 13] = larger[:, 13] = 0.4
    assert measures(star)["spikiness"] > measures(circle(0.1))["spikiness"] + 3
    assert measures(star)["spikiness"] == pytest.approx(measures(larger)["spikiness"], abs=1e-3)


def test_measures_of_sounds() -> None:
    spectra = torch.full((3, 42, 48), -70.0)
    spectra[0, :, 10] = -10.0
    spectra[1, :, 30] = -20.0
    spectra[2, ::2, 30] = -20.0
    loudness, brightness, noisiness, movement = describe_sounds(spectra).T.tolist()
    assert loudness == pytest.approx([-10, -20, -23], abs=0.1)
    assert brightness == pytest.approx([10, 30, 30], abs=0.05)
    assert noisiness[0] == pytest.approx(-70 + 60 / 48 - (-10 - 10 * np.log10(48)), abs=0.1)
    assert movement[0] == pytest.approx(np.log(0.05)) and movement[2] > movement[1] + 2


def test_the_correlation_of_permuted_data_is_about_zero() -> None:
    values = torch.randn(4096, generator=torch.Generator().manual_seed(0))
    order = torch.randperm(4096, generator=torch.Generator().manual_seed(1))
    assert float(correlation(values, 3 * values + 1)) == pytest.approx(1)
    assert float(correlation(values, -values)) == pytest.approx(-1)
    assert abs(float(correlation(values, values[order]))) < 0.04
    assert float(correlation(values, torch.ones(4096))) == 0


def test_pairings_are_read_and_refused() -> None:
    first, second = parse_pairings("loudness=-size,brightness = spikiness")
    assert (first.sound, first.drawing, first.sign) == (0, 0, -1)
    assert str(second) == "brightness=spikiness"
    assert parse_pairings(" ") == ()
    with pytest.raises(SynaesthesiaError, match="loudness"):
        parse_pairings("loudnes=size")
    with pytest.raises(SynaesthesiaError, match="each word once"):
        parse_pairings("loudness=size,brightness=size")
    with pytest.raises(SynaesthesiaError, match="SOUND=DRAWING"):
        parse_pairings("loudness")
