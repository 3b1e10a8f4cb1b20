"""Odd and broken films: what happens to each when it is pickled and rendered."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import pytest

from frame2sound.errors import DamagedFilmError, FilmError
from frame2sound.film.decoding.audio_chunks import collect_samples
from frame2sound.film.decoding.reader import FilmReader
from frame2sound.library.pickler import PickleOptions, pickle_film
from frame2sound.library.store import Library

RATE = 22_050
NTSC = Fraction(30000, 1001)
MUTE = "has no audio stream"


@dataclass(frozen=True)
class Film:
    """What should become of a film: frames, seconds, and which notes or error."""

    frames: int
    seconds: Fraction | int
    learning_error: str = ""
    notes: tuple[str, ...] = ()


FILMS = {
    "no-audio-track.mp4": Film(144, 6, MUTE),
    "no-audio-colour-bars.mp4": Film(50, 2, MUTE),
    "silent-audio-track.mp4": Film(150, 150 / NTSC, notes=("its sound is silent",)),
    "two-videos-two-audios-subtitles.mp4": Film(
        325, 13, notes=("used video stream 0 of 2", "used audio stream 0 of 2")
    ),
    "picture-and-subtitles-no-audio.mkv": Film(1800, 1800 / NTSC, MUTE),
    "fractional-fps-phone-clip.mp4": Film(25, Fraction(71393, 30000)),
    "variable-frame-rate.mp4": Film(115, 240 / NTSC),
    "ntsc-29.97.mp4": Film(240, 240 / NTSC),
    "beeps-every-half-second.mp4": Film(251, Fraction(251, 25)),
    "starts-at-ten-seconds.ts": Film(144, 6),
    "picture-starts-3ms-late.webm": Film(720, 30),
    "audio-half-second-late.mp4": Film(144, 6, notes=("its sound begins at 0.48 s",)),
    "audio-half-second-late.webm": Film(144, 6, notes=("its sound begins at 0.50 s",)),
    "picture-one-second-late.mkv": Film(144, 6, notes=("its sound ends at 5.02 s",)),
    "audio-three-seconds-longer.mp4": Film(144, 6),
    "audio-ends-half-way.mp4": Film(
        144, 6, notes=("its sound ends at 3.01 s; nothing after is used",)
    ),
    "audio-ends-badly.mp4": Film(280, Fraction(56, 5)),
    "no-duration.webm": Film(74, 74 * Fraction(1001, 15000), notes=("its sound is silent",)),
    "one-frame.mp4": Film(1, Fraction(1, 24)),
    "five-frames.mp4": Film(5, Fraction(5, 24)),
    "one-frame-a-second.mp4": Film(20, 20),
    "120-fps.mp4": Film(360, 3),
    "audio-8khz-mono.mp4": Film(144, 6),
    "audio-5.1-48khz.mp4": Film(120, 5),
    "audio-96khz-24bit.mkv": Film(72, 3),
    "audio-clipped.mp4": Film(144, 6, notes=("its sound is up to ",)),
    "odd-size-33x17.webm": Film(144, 6),
    "one-pixel.mp4": Film(5, 5, MUTE),
    "newtons-cradle.gif": Film(36, Fraction(82, 100), MUTE),
    "transparent-picture.webm": Film(150, 5, notes=("its sound is silent",)),
    "grey-picture.mkv": Film(72, 3),
    "anamorphic-pixels.mp4": Film(144, 6),
    "interlaced.mpg": Film(150, 6),
    "rotated-90.mp4": Film(120, 4, notes=("its channels cancel each other in 1.20 s",)),
    "prores.mov": Film(48, 2),
    "ffv1-flac.mkv": Film(48, 2),
    "mjpeg-pcm.avi": Film(72, 3),
    "hevc-10bit.mp4": Film(144, 6),
    "av1-opus.webm": Film(670, 30),
    "webm-named-mp4.mp4": Film(82, 82 / NTSC),
    "name with spaces, ümlaut & 映画.mp4": Film(144, 6),
    "-leading-dash.mp4": Film(144, 6),
}

NO_FILMS = {
    "audio-only.mp4": r"has no moving picture \(only sound\); expected a video stream",
    "cover-art-only.m4a": r"has no moving picture \(only a cover picture\)",
    "truncated-60-percent.mp4": "not readable as a film .* its index is missing",
    "chunk-out-of-range.mp4": "not readable as a film",
    "encrypted-cenc.mp4": r"the video cannot be decoded \(it is encrypted\)",
    "empty.mp4": r"is empty \(0 bytes\)",
    "text-file.mp4": "not readable as a film",
}

DAMAGED = {
    "truncated-60-percent.webm": (r"ends at 17\.80 s of the 30\.\d+ s it declares", 17.8),
    "truncated-60-percent-index-first.mp4": (r"(cannot be decoded|ends) at 1[89]\.\d+ s", 19),
    "corrupted-middle.mp4": (r"cannot be decoded at 1[2-8]\.\d+ s", 30),
    "corrupted-middle.webm": (r"cannot be decoded at [23]\.\d+ s", 6),
}


def test_every_film_of_the_folder_is_in_a_table(real_films):
    there = {path.name for path in (real_films / "awkward").iterdir()}
    assert there == {*FILMS, *NO_FILMS, *DAMAGED}


@pytest.mark.parametrize("name", FILMS)
def test_it_can_be_rendered_with_audio_of_the_video_duration(real_films, name):
    film = FILMS[name]
    frames = list(FilmReader(real_films / "awkward" / name).frames())
    assert len(frames) == film.frames
    assert frames[0].start_seconds == 0
    assert all(
        a.start_seconds < a.end_seconds == b.start_seconds for a, b in itertools.pairwise(frames)
    )
    # The last frame's own duration may be rounded to the container's tick.
    assert frames[-1].end_seconds == pytest.approx(float(film.seconds), abs=2e-3)


@pytest.mark.parametrize("name", [name for name, film in FILMS.items() if not film.learning_error])
def test_it_can_be_pickled(real_films, tmp_path, name):
    film = FILMS[name]
    library = Library.create(tmp_path / "library", RATE)
    pickled, new = pickle_film(real_films / "awkward" / name, library)
    assert new
    assert pickled.frames.shape == (film.frames, 64, 64)
    assert pickled.seconds == pytest.approx(float(film.seconds), abs=2e-3)
    assert len(pickled.sound) == round(pickled.seconds * RATE)
    assert np.isfinite(pickled.sound).all()
    for note, expected in zip(pickled.card.notes, film.notes, strict=True):
        assert note.startswith(expected)
    assert ("its sound is silent" in pickled.card.notes) == (not pickled.sound.any())


@pytest.mark.parametrize("name", [name for name, film in FILMS.items() if film.learning_error])
def test_it_cannot_be_pickled(real_films, tmp_path, name):
    library = Library.create(tmp_path / "library", RATE)
    with pytest.raises(FilmError, match=FILMS[name].learning_error) as caught:
        pickle_film(real_films / "awkward" / name, library)
    assert name in str(caught.value)
    assert library.films() == []


@pytest.mark.parametrize("name", NO_FILMS)
@pytest.mark.parametrize("rate", [RATE, None], ids=["learning", "rendering"])
def test_it_is_not_a_film(real_films, name, rate):
    with pytest.raises(FilmError, match=NO_FILMS[name]) as caught:
        list(FilmReader(real_films / "awkward" / name, rate))
    assert name in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", DAMAGED)
@pytest.mark.parametrize("rate", [RATE, None], ids=["learning", "rendering"])
def test_it_is_damaged_and_refused(real_films, name, rate):
    with pytest.raises(DamagedFilmError, match=DAMAGED[name][0]) as caught:
        list(FilmReader(real_films / "awkward" / name, rate))
    assert name in str(caught.value)


@pytest.mark.parametrize("name", DAMAGED)
def test_the_undamaged_part_can_be_used(real_films, tmp_path, name):
    library = Library.create(tmp_path / "library", RATE)
    choice = PickleOptions(allow_damaged=True)
    pickled, _ = pickle_film(real_films / "awkward" / name, library, choice)
    assert pickled.seconds == pytest.approx(DAMAGED[name][1], abs=0.3)
    assert np.abs(pickled.sound).max() < 16  # nothing wild
    assert any(note.startswith("damaged from") for note in pickled.card.notes)


def sound_of(path):
    """Return the audio of a film as one array, silent in the gaps."""
    return collect_samples(FilmReader(path, RATE).audio_chunks())


def delay(a, b):
    """How many samples ``b`` lags behind ``a``: the peak of their cross-correlation."""
    n = 1 << (len(a) + len(b)).bit_length()
    match = np.fft.irfft(np.conj(np.fft.rfft(a, n)) * np.fft.rfft(b, n), n)
    lag = int(match.argmax())
    return lag - n if lag > n // 2 else lag


@pytest.mark.parametrize(
    ("one", "other", "seconds"),
    [
        ("audio-half-second-late.mp4", "audio-half-second-late.webm", 0.0),
        ("name with spaces, ümlaut & 映画.mp4", "audio-half-second-late.mp4", 0.5),
        ("name with spaces, ümlaut & 映画.mp4", "audio-half-second-late.webm", 0.5),
        ("name with spaces, ümlaut & 映画.mp4", "starts-at-ten-seconds.ts", 0.0),
        # The picture of the .webm starts at 7 ms.
        ("name with spaces, ümlaut & 映画.mp4", "odd-size-33x17.webm", -0.007),
        ("name with spaces, ümlaut & 映画.mp4", "audio-8khz-mono.mp4", 0.0),
        ("ntsc-29.97.mp4", "variable-frame-rate.mp4", 0.0),
    ],
)
def test_the_same_audio_is_at_the_same_time(real_films, one, other, seconds):
    a, b = (sound_of(real_films / "awkward" / name) for name in (one, other))
    assert delay(a, b) / RATE == pytest.approx(seconds, abs=2e-3)


def test_late_video_shifts_the_audio(real_films):
    whole = sound_of(real_films / "awkward" / "-leading-dash.mp4")
    late = sound_of(real_films / "awkward" / "picture-one-second-late.mkv")
    # Matroska's time stamps say that the picture begins 1.0 to 1.02 s after the sound.
    assert delay(whole, late) / RATE == pytest.approx(-1.01, abs=0.02)
