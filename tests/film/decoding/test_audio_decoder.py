"""Decode audio: peaks far over full scale, samples that are not finite, and empty packets."""

import re
from fractions import Fraction

import av
import numpy as np
import pytest

from frame2sound.errors import DamagedFilmError, FilmError
from frame2sound.film.decoding.options import DecodeOptions
from frame2sound.film.decoding.probe import Streams
from frame2sound.film.decoding.reader import FilmReader, Frame
from tests.media_files import H264, Audio, grey_pictures, make_film

RATE = 48_000


def clicks(level, seconds=3):
    sound = np.zeros(seconds * RATE, np.float32)
    for time in (0.5, 1.5):
        sound[round(time * RATE) :][:480] = level
    sound[round(2.5 * RATE) :][:480] = level / 2
    return sound


def film(path, sound, codec="pcm_f32le", frames=75):
    audio = Audio(sound, codec=codec)
    return make_film(
        path, grey_pictures([0] * frames), fps=Fraction(25), encoding=H264, audio=audio
    )


def sound_of(path, **how):
    return np.concatenate(
        [
            event.samples
            for event in FilmReader(path, RATE, options=DecodeOptions(**how)).audio_chunks()
        ]
    )


@pytest.mark.parametrize(("codec", "ending"), [("pcm_f32le", ".mov"), ("pcm_f64le", ".mkv")])
def test_lossless_audio_beyond_the_highest_peak_is_not_damage(tmp_path, codec, ending):
    path = film(tmp_path / f"hot{ending}", clicks(25.1), codec)
    for how in ({}, {"allow_damaged": True}):
        with pytest.raises(FilmError) as error:
            list(FilmReader(path, RATE, options=DecodeOptions(**how)))
        assert not isinstance(error.value, DamagedFilmError)
        assert str(error.value) == (
            f"{path} is not damaged, but its sound is 28.0 dB over full scale, expected 24 dB at "
            "most; lower it, as with ffmpeg -i FILM -c:v copy -af volume=-28.0dB LOWERED"
        )
    assert len(list(FilmReader(path, RATE).frames())) == 75


@pytest.mark.parametrize("level", [1.5, 15.8, -15.8])
def test_audio_up_to_24_db_over_full_scale_is_unchanged(tmp_path, level):
    path = film(tmp_path / "loud.mkv", clicks(level))
    np.testing.assert_array_equal(sound_of(path), clicks(level))


def test_lossy_audio_beyond_the_highest_peak_is_damage(tmp_path):
    noise = np.random.default_rng(0).normal(0, 20, 3 * RATE).astype(np.float32)
    path = film(tmp_path / "hot.mkv", noise, "aac")
    with pytest.raises(DamagedFilmError, match=r"it has sound \d\d\.\d dB over full scale at 0\.\d"
                       r"\d s \(if that is intended, lower it by as much\)"):  # fmt: skip
        sound_of(path)


@pytest.mark.parametrize("wrong", [np.nan, np.inf])
def test_samples_that_are_not_finite_are_damage(tmp_path, wrong):
    sound = clicks(0.5)
    sound[RATE] = wrong
    path = film(tmp_path / "broken.mkv", sound)
    with pytest.raises(DamagedFilmError, match=r"cannot be decoded at 0\.5\d s"):
        sound_of(path)
    assert np.isfinite(sound_of(path, allow_damaged=True)).all()


class _Padded:
    """A film in whose streams empty packets come between the others, with times of their own."""

    def __init__(self, film, kind):
        self._film, self._kind = film, kind

    def __getattr__(self, name):
        return getattr(self._film, name)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._film.close()

    def demux(self):
        for packet in self._film.demux():
            yield packet
            if packet.size and packet.stream.type == self._kind:
                empty = av.Packet(b"")
                empty.stream, empty.time_base = packet.stream, packet.time_base
                empty.pts = empty.dts = packet.pts + packet.duration
                yield empty


@pytest.mark.parametrize("codec", ["flac", "aac", "pcm_s16le"])
@pytest.mark.parametrize("kind", ["audio", "video"])
def test_empty_packets_change_nothing(tmp_path, monkeypatch, kind, codec):
    path = film(tmp_path / "film.mkv", clicks(0.5), codec)
    sound, times = (
        sound_of(path),
        [(f.start_seconds, f.end_seconds) for f in FilmReader(path).frames()],
    )
    real = Streams.open
    monkeypatch.setattr(Streams, "open", lambda *a, **how: _Padded(real(*a, **how), kind))
    np.testing.assert_array_equal(sound_of(path), sound)
    assert [(f.start_seconds, f.end_seconds) for f in FilmReader(path).frames()] == times


def test_the_empty_packet_at_the_end_of_flac_changes_nothing(tmp_path):
    path = film(tmp_path / "film.nut", clicks(0.5), "flac")
    with av.open(str(path)) as source:
        sizes = [p.size for p in source.demux(audio=0) if p.dts is not None]
    assert sizes[-1] == 0 < min(sizes[:-1])
    np.testing.assert_allclose(sound_of(path), clicks(0.5), atol=1e-4)


def test_empty_packets_do_not_hide_damage(tmp_path):
    path = film(tmp_path / "film.nut", clicks(0.5), "flac")
    data = bytearray(path.read_bytes())
    frames = [match.start() for match in re.finditer(rb"\xff\xf8", data)]
    at = frames[len(frames) // 2]
    data[at + 2 : at + 16] = b"\xff" * 14
    path.write_bytes(data)
    with pytest.raises(DamagedFilmError, match="cannot be decoded"):
        list(FilmReader(path, RATE))
    assert any(
        isinstance(e, Frame)
        for e in FilmReader(path, RATE, options=DecodeOptions(allow_damaged=True))
    )
