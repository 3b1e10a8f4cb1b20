"""Samples and names of channels, in every sample format and order."""

import struct

import av
import numpy as np
import pytest

from frame2sound.film.decoding.audio_format import channel_names, to_float_planes
from frame2sound.film.decoding.reader import FilmReader
from tests.media_files import Audio, grey_pictures, make_film

STORED = {
    "u8": (np.uint8, 128, 128),
    "s16": (np.int16, 0, 2**15),
    "s32": (np.int32, 0, 2**31),
    "s64": (np.int64, 0, 2**63),
    "flt": (np.float32, 0, 1),
    "dbl": (np.float64, 0, 1),
}
LAYOUTS = [
    "mono",
    "stereo",
    "7.1",
    "8 channels",
    "hexadecagonal",
    "ambisonic 3",
    "22.2",
    "33 channels",
]


def levels(channels, samples=10):
    """Of each channel another one, on a grid of 1/64."""
    return np.tile((np.arange(channels) - channels // 2)[:, None] / 64, samples)


def frame_of(planes, kind, layout, planar):
    stored, zero, full = STORED[kind]
    packed = av.AudioFrame(kind, layout, planes.shape[1])
    packed.planes[0].update(np.rint(planes.T * full + zero).astype(stored).tobytes()
                            if full > 1 else planes.T.astype(stored).tobytes())  # fmt: skip
    packed.sample_rate = 48_000
    if not planar:
        return packed
    (frame,) = av.AudioResampler(kind + "p", layout, 48_000).resample(packed)
    return frame


@pytest.mark.parametrize("planar", [False, True], ids=["packed", "planar"])
@pytest.mark.parametrize("kind", STORED)
@pytest.mark.parametrize("layout", LAYOUTS)
def test_channels_keep_their_order(layout, kind, planar):
    planes = levels(av.AudioLayout(layout).nb_channels)
    np.testing.assert_array_equal(to_float_planes(frame_of(planes, kind, layout, planar)), planes)


def bells(channels, rate=48_000):
    """A short burst in every channel at its own time."""
    sound = np.zeros((channels, rate), np.float32)
    for channel in range(channels):
        sound[channel, rate * (1 + channel) // 20 :][:480] = 0.5
    return sound


@pytest.mark.parametrize(
    ("codec", "layout", "ending"),
    [
        ("aac", "7.1", ".mp4"),
        ("flac", "7.1", ".mkv"),
        ("flac", "7.1", ".mp4"),
        ("pcm_s16le", "8 channels", ".mov"),
        ("pcm_f32le", "16 channels", ".mkv"),
        ("pcm_s24le", "hexadecagonal", ".mov"),
        ("alac", "7.1(wide)", ".mov"),
    ],
)
def test_many_channels_are_downmixed(tmp_path, codec, layout, ending):
    audio = Audio(bells(av.AudioLayout(layout).nb_channels), codec=codec, layout=layout)
    path = make_film(tmp_path / f"film{ending}", grey_pictures([0, 255] * 12), audio=audio)
    reader = FilmReader(path, 48_000)
    sound = np.concatenate([sound.samples for sound in reader.audio_chunks()])
    with av.open(str(path)) as film:
        names = channel_names(film.streams.audio[0].codec_context)
    assert reader.streams.audio_channels == len(names) == len(audio.samples)
    half = dict.fromkeys(["FL", "FR", "BC", "TFC", "TBC", "NONE"], 0.5)
    front = {"FC": 2**-0.5, "LFE": 0.0} | half
    for channel, name in enumerate(names):
        begin = 2400 * (1 + channel)
        loud = np.abs(sound[begin + 100 : begin + 380]).mean()
        assert loud == pytest.approx(0.5 * front.get(name, 2**-1.5), abs=0.05), name


def mark_channels(path, labels):
    """Say of a MOV's six channels, one by one, which they are (QuickTime, `chan`)."""
    data = path.read_bytes()
    at = data.index(b"chan") - 4
    size = struct.unpack(">I", data[at : at + 4])[0]
    named = struct.pack(">4I", 0, 0, 0, len(labels))
    named += b"".join(struct.pack(">2I3f", label, 0, 0, 0, 0) for label in labels)
    box = struct.pack(">I", 8 + len(named)) + b"chan" + named
    out = bytearray(data[:at] + box + data[at + size :])
    for kind in (b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stsd", b"sowt"):
        place = out.rindex(kind, 0, at) - 4
        old = struct.unpack(">I", out[place : place + 4])[0]
        out[place : place + 4] = struct.pack(">I", old + len(box) - size)
    path.write_bytes(out)
    return path


def test_channels_in_a_custom_order_keep_their_names(tmp_path):
    audio = Audio(bells(6), layout="5.1")
    path = make_film(tmp_path / "film.mov", grey_pictures([0, 255] * 12), audio=audio)
    mark_channels(path, [2, 1, 3, 4, 6, 5])
    for _ in range(2):
        sound = np.concatenate(
            [s.samples for s in FilmReader(path, 48_000, channels=2).audio_chunks()]
        )
        loud = [sound[2400 * (1 + n) + 100 :][:280].mean(axis=0) * 2 for n in range(6)]
        half = 2**-0.5
        expected = [(0, 1), (1, 0), (half, half), (0, 0), (0, half), (half, 0)]
        np.testing.assert_allclose(loud, expected, atol=1e-3)
