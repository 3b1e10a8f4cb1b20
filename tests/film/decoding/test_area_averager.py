"""Area means, beside the product with the share of each row and column."""

import av
import numpy as np
import pytest

from frame2sound.film.decoding.area_averager import AreaAverager, area_shares
from frame2sound.film.decoding.frame_resizer import FrameResizer
from frame2sound.film.decoding.transparency import plane_view

LIMITED = 16, 255 / 219
SIZES = [(65, 65), (100, 333), (270, 480), (480, 854), (1080, 1920), (70, 8192), (70, 8193)]


def noise(height, width):
    """Levels of all sizes, so that areas differ: noise whose strength grows to the right."""
    rng = np.random.default_rng(height * width)
    strength = np.linspace(0, 1, width)
    return (rng.integers(0, 256, (height, width)) * strength).astype(np.uint8)


def exact_means(plane):
    return area_shares(plane.shape[0]) @ plane.astype(float) @ area_shares(plane.shape[1]).T


@pytest.mark.parametrize("size", [*SIZES, (1, 1), (40, 300), (300, 40), (64, 64), (64, 200)])
def test_means_are_those_of_the_areas(size):
    plane = noise(*size)
    assert np.abs(AreaAverager(*size).means(plane) - exact_means(plane)).max() < 0.04


@pytest.mark.parametrize("size", SIZES)
def test_bytes_are_the_rounded_means(size):
    plane, (zero, gain) = noise(*size), LIMITED
    expected = np.clip(gain * (exact_means(plane) - zero), 0, 255)
    got = AreaAverager(*size, zero, gain).means_as_bytes(plane)
    assert np.abs(got - expected).max() < 0.5 + gain * 0.04
    assert (got == np.rint(expected)).mean() > 0.98


def test_a_view_of_wider_rows_is_averaged():
    plane = noise(200, 700)[:, 50:600]
    assert np.abs(AreaAverager(200, 550).means(plane) - exact_means(plane)).max() < 0.04


@pytest.mark.parametrize("length", [1, 33, 64, 65, 127, 128, 1080])
def test_shares_cover_every_pixel_once(length):
    shares = area_shares(length)
    np.testing.assert_allclose(shares.sum(axis=0), 64 / length, rtol=1e-12)
    np.testing.assert_allclose(shares.sum(axis=1), 1, rtol=1e-12)


@pytest.mark.parametrize("matrix", [0, 1, 2, 5, 6, 9])
def test_metadata_of_colour_change_no_level(matrix):
    luma = noise(90, 160)
    frame = av.VideoFrame.from_ndarray(
        np.concatenate([luma, np.full((45, 160), 128, np.uint8)]), "yuv420p"
    )
    frame.color_range, frame.colorspace = 2, matrix
    frame.color_trc = frame.color_primaries = 1
    assert np.abs(FrameResizer()(frame) - exact_means(luma)).max() < 0.54


def interlaced_frames(path):
    """Frames of a film whose two fields show stripes that move apart."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg2video", rate=25, options={"qscale": "2"})
        stream.width, stream.height, stream.pix_fmt = 320, 240, "yuv420p"
        context = av.codec.context.Flags
        stream.codec_context.flags |= context.interlaced_dct | context.interlaced_me
        for shift in range(3):
            luma = np.full((240, 320), 60, np.uint8)
            luma[0::2, 20 + 40 * shift : 80 + 40 * shift] = 200
            picture = np.concatenate([luma, np.full((120, 320), 128, np.uint8)])
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, "yuv420p")))
        container.mux(stream.encode())
    with av.open(str(path)) as container:
        return list(container.decode(video=0))


def test_the_fields_of_an_interlaced_frame_are_averaged_together(tmp_path):
    for frame in interlaced_frames(tmp_path / "fields.mpg"):
        assert frame.interlaced_frame
        zero, gain = LIMITED
        expected = np.clip(gain * (exact_means(plane_view(frame, 0)) - zero), 0, 255)
        assert np.abs(FrameResizer()(frame) - expected).max() < 0.55
