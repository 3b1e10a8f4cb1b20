"""Clouds: how they are written, what they follow, and what is refused."""

import pytest

from frame2sound.errors import SoundtrackError
from frame2sound.rendering.granular.cloud import (
    RANGES,
    Cloud,
    Modulation,
    ModulationSources,
    parse_cloud,
)


def test_nothing_said_is_the_default_cloud():
    assert parse_cloud([]) == Cloud()
    assert (Cloud().duration, Cloud().density, Cloud().jitter) == (0.05, 150, 0.0007)
    assert Cloud().channels == 1


def test_settings_are_read():
    cloud = parse_cloud(["density=100..400@motion", "pitch=-12", "envelope=tukey", "jitter = 1e-3"])
    assert cloud == Cloud(
        density=Modulation(100, 400, "motion"), pitch=-12, envelope="tukey", jitter=0.001
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("-1..1@place", Modulation(-1, 1, "place")),
        (".5..-.5@loudness", Modulation(0.5, -0.5, "loudness")),
        ("1.", 1.0),
        ("+0.25", 0.25),
    ],
)
def test_the_grammar(text, expected):
    assert parse_cloud([f"pan={text}"]).pan == expected


@pytest.mark.parametrize("text", ["", "x", "1..2", "1@motion", "1..2@colour", "1-2@motion", "nan"])
def test_what_is_no_value_is_refused(text):
    with pytest.raises(SoundtrackError, match=r"got the grains' density=.*LOW\.\.HIGH@WHAT.*place"):
        parse_cloud([f"density={text}"])


@pytest.mark.parametrize("setting", ["tempo=3", "density", "=3", "Density=3"])
def test_an_unknown_name_is_refused_with_those_there_are(setting):
    with pytest.raises(
        SoundtrackError, match=r"expected NAME=VALUE of duration, density.*envelope"
    ):
        parse_cloud([setting])


def test_the_same_name_twice_is_refused():
    with pytest.raises(SoundtrackError, match="pitch twice"):
        parse_cloud(["pitch=1", "pitch=2"])


@pytest.mark.parametrize("name", RANGES)
def test_the_ends_of_every_range_are_allowed_and_beyond_is_refused(name):
    low, high = RANGES[name].low, RANGES[name].high
    assert getattr(Cloud(**{name: Modulation(low, high, "motion")}), name).low == low
    for value in (low - 0.1, high + 0.1, float("nan")):
        with pytest.raises(SoundtrackError, match=f"got the grains' {name}=.*expected {low:g} to"):
            Cloud(**{name: value})
        with pytest.raises(SoundtrackError, match=f"{name}="):
            Cloud(**{name: Modulation(low, value, "motion")})


def test_an_unknown_envelope_is_refused_with_those_there_are():
    with pytest.raises(SoundtrackError, match=r"envelope=square, expected one of hann, .*reversed"):
        parse_cloud(["envelope=square"])


def test_a_control_goes_in_a_straight_line_with_what_it_follows():
    cloud = Cloud(pitch=Modulation(12, -12, "brightness"))
    assert [
        cloud.control_values(ModulationSources(brightness=b))["pitch"] for b in (0, 0.25, 1)
    ] == [12, 6, -12]


def test_moments_are_gestures_brought_to_zero_to_one():
    assert ModulationSources.from_frame(0.5, 0.25, -1, 1.0) == ModulationSources(0.5, 0.5, 1.0, 0.0)
    assert ModulationSources.from_frame(0.0, 0.0, 1, 0.0) == ModulationSources(0.0, 0.0, 0.0, 1.0)
    assert ModulationSources.from_frame(1, 1, 0, 10 ** (-30 / 20)).loudness == pytest.approx(0.5)
    assert ModulationSources.from_frame(0, 0, 0, 2.0).loudness == 1


@pytest.mark.parametrize("settings", [["spread=0.1"], ["pan=-1..1@place"], ["pan=0..0.5@motion"]])
def test_placed_grains_have_two_channels(settings):
    assert parse_cloud(settings).channels == 2


@pytest.mark.parametrize(
    ("settings", "in_place"),
    [(["jitter=0"], True), ([], False), (["jitter=0", "pitch=0..1@motion"], False)],
)
def test_grains_read_in_place_only_where_nothing_moves_them(settings, in_place):
    assert parse_cloud(settings).reads_in_place is in_place
