"""HDR on a standard display: closed forms, formats, colours, films, and odd matrices."""

from fractions import Fraction

import av
import numpy as np
import pytest

from frame2sound.film.decoding.frame_resizer import FrameResizer
from frame2sound.film.decoding.reader import FilmReader
from frame2sound.film.decoding.tone_mapping import compress_highlights, display_light

PQ, HLG, BT_709 = 16, 18, 1
LIMITED_RANGE = 1
PAPER = {PQ: 0.5807, HLG: 0.75}
"""The signal of 203 candelas per square metre (ITU-R BT.2408, table 1)."""

PAPER_LEVEL = 255 * (0.8 + 0.2 * (1 - np.exp(-1))) ** (1 / 2.4)
"""247 of 255: white is where the knee has used up 63 % of what is above it."""


def frame_of(signals, pixels="yuv420p10le", *, transfer=PQ, size=(72, 50), matrix=9):
    """A frame of limited range whose planes hold these signals: luma from 0, chroma from -0.5."""
    frame = av.VideoFrame(*size, pixels)
    bits = frame.format.components[0].bits
    shift = 16 - bits if pixels.startswith("p0") else 0
    kind = "u1" if bits == 8 else ">u2" if pixels.endswith("be") else "<u2"
    for number, plane in enumerate(frame.planes):
        luma = number == 0
        signal = signals[number] if len(signals) > number else 0
        code = (16 + 219 * signal if luma else 128 + 224 * signal) * 2 ** (bits - 8)
        stored = np.full(plane.buffer_size // np.dtype(kind).itemsize, round(code) << shift, kind)
        plane.update(stored.tobytes())
    frame.color_trc, frame.colorspace, frame.color_range = transfer, matrix, LIMITED_RANGE
    frame.color_primaries = 9
    return frame


def level(frame, colour=False):
    small = FrameResizer(colour=colour)(frame).astype(int)
    assert np.ptp(small) <= 2  # where FFmpeg makes 8 bits of 10, it dithers
    return small.mean()


def test_display_light_has_the_values_of_the_standards():
    # SMPTE ST 2084: 100, 1000 and 10,000 candelas; ITU-R BT.2408, table 1.
    signals = np.array([0, 0.5081, 0.7518, 1])
    np.testing.assert_allclose(display_light(signals, "PQ") * 203, [0, 100, 1000, 10_000], 2e-3)
    # ITU-R BT.2100: 1/12 of scene light is 0.5, all of it 1, on 1000 candelas with a gamma of 1.2.
    expected = [0, 1000 * (1 / 12) ** 1.2, 1000]
    np.testing.assert_allclose(display_light(np.array([0, 0.5, 1]), "HLG") * 203, expected, 1e-5)


def test_highlights_approach_full_scale_without_a_step():
    light = np.linspace(0, 60, 60_001)
    shown = compress_highlights(light)
    np.testing.assert_array_equal(shown[light <= 0.8], light[light <= 0.8])
    assert (np.diff(shown) >= 0).all()
    assert shown.max() <= 1
    assert np.abs(np.diff(shown, 2)).max() < 1e-5


@pytest.mark.parametrize("colour", [False, True], ids=["grey", "colour"])
@pytest.mark.parametrize("transfer", PAPER)
@pytest.mark.parametrize(
    "pixels",
    ["yuv420p10le", "yuv422p12le", "yuv444p16le", "yuv420p10be", "p010le", "yuv420p", "nv12"],
)
def test_diffuse_white_is_nearly_white_and_black_is_black(pixels, transfer, colour):
    def shown(signal):
        return level(frame_of([signal], pixels, transfer=transfer), colour)

    assert shown(PAPER[transfer]) == pytest.approx(PAPER_LEVEL, abs=1.5)
    assert shown(0) <= 0.5
    assert shown(1) >= 254.5
    levels = [shown(signal) for signal in np.linspace(0, 1, 30)]
    assert (np.diff(levels) >= 0).all()


def test_grey_levels_follow_the_standard_display():
    # 18 % of paper, in between black and the knee: its light is unchanged, so its gamma is known.
    signal = 0.3745  # 36.5 candelas: ST 2084, inverted
    light = float(display_light(np.array(signal), "PQ"))
    assert level(frame_of([signal])) == pytest.approx(255 * light ** (1 / 2.4), abs=1)


def test_sdr_frames_are_not_tone_mapped():
    assert level(frame_of([0.5807], transfer=BT_709)) == pytest.approx(148, abs=1)


def test_areas_are_averaged_after_tone_mapping():
    frame = frame_of([0], size=(128, 64))
    plane = frame.planes[0]
    codes = np.tile(np.array([64, round(64 + 876 * 0.5807)], "<u2"), plane.buffer_size // 4)
    plane.update(codes.tobytes())
    assert level(frame) == pytest.approx(PAPER_LEVEL / 2, abs=1)


@pytest.mark.parametrize("transfer", PAPER)
def test_colours_within_bt_709_keep_their_light(transfer):
    """Red of BT.709, at 40 % of paper: in BT.2020 it is 0.6274, 0.0691, 0.0164 (BT.2087)."""
    light = 0.4 * np.array([0.6274, 0.0691, 0.0164])
    grid = np.linspace(0, 1, 200_001)
    if transfer == HLG:
        luminance = light @ [0.2627, 0.678, 0.0593]
        nits = 203 / 1000 * light
        scene = nits * (203 / 1000 * luminance) ** (1 / 1.2 - 1)
        signal = np.interp(scene**1.2 * 1000 / 203, display_light(grid, "HLG"), grid)
    else:
        signal = np.interp(light, display_light(grid, "PQ"), grid)
    luma = signal @ [0.2627, 0.678, 0.0593]
    stored = luma, (signal[2] - luma) / 1.8814, (signal[0] - luma) / 1.4746
    frame = frame_of(stored, "yuv444p12le", transfer=transfer)
    actual = FrameResizer(colour=True)(frame)[30, 30].astype(int)
    expected = 255 * (0.4 * np.array([1, 0, 0])) ** (1 / 2.4)
    assert abs(actual[0] - expected[0]) <= 3
    assert actual[1:].max() <= 30  # rounding in the dark: 30 of 255 is a 200th of white


@pytest.mark.parametrize("matrix", [3, 8, 10, 11, 12, 13, 14])
@pytest.mark.parametrize("colour", [False, True], ids=["grey", "colour"])
@pytest.mark.parametrize("pixels", ["yuv420p10le", "yuva444p12le", "yuv420p", "p010le"])
def test_grey_has_the_same_level_by_any_matrix(pixels, colour, matrix):
    frame = frame_of([0.5], pixels, transfer=BT_709, matrix=matrix)
    if "a" in pixels:
        alpha = frame.planes[3]
        alpha.update(np.full(alpha.buffer_size // 2, 4095, "<u2").tobytes())
    assert level(frame, colour) == pytest.approx(127.5, abs=2)


def film(path, transfer, signal):
    """Three frames of lossless 10 bits, marked as HDR."""
    with av.open(str(path), "w") as target:
        stream = target.add_stream("ffv1", rate=25)
        stream.width, stream.height, stream.pix_fmt = 72, 50, "yuv420p10le"
        stream.codec_context.color_trc = transfer
        stream.codec_context.color_primaries = stream.codec_context.colorspace = 9
        stream.codec_context.color_range = LIMITED_RANGE
        for number in range(3):
            frame = frame_of([signal], transfer=transfer)
            frame.pts, frame.time_base = number, Fraction(1, 25)
            target.mux(stream.encode(frame))
        target.mux(stream.encode(None))
    return path


@pytest.mark.parametrize(("transfer", "name"), [(PQ, "PQ"), (HLG, "HLG")])
def test_tone_mapping_is_noted(tmp_path, transfer, name):
    reader = FilmReader(film(tmp_path / "film.mkv", transfer, PAPER[transfer]))
    pictures = [frame.picture for frame in reader.frames()]
    assert [int(picture.mean()) for picture in pictures] == [
        pytest.approx(PAPER_LEVEL, abs=1.5)
    ] * 3
    assert reader.notes == [f"HDR ({name}): tone-mapped to SDR"]


def test_sdr_films_have_no_note(tmp_path):
    assert FilmReader(film(tmp_path / "film.mkv", BT_709, 0.5)).notes == []
