"""Numbered pictures and animated WebP can be pickled and rendered like films."""

from fractions import Fraction

import numpy as np
import pytest
import soundfile
from PIL import Image

from frame2sound.errors import FilmError
from frame2sound.film.decoding.image_sequence import audio_file, image_files
from frame2sound.film.decoding.options import DecodeOptions
from frame2sound.film.decoding.reader import FilmReader, Frame
from frame2sound.film.decoding.subprocess_reader import SubprocessFilmReader
from frame2sound.film.limits import Limits
from frame2sound.library.pickler import PickleOptions, pickle_film
from frame2sound.library.store import Library
from tests.commanding import run

FPS = Fraction(24000, 1001)


def draw(folder, levels, name="shot_{:04d}.png", first=1):
    folder.mkdir(exist_ok=True)
    for number, level in enumerate(levels, first):
        picture = Image.fromarray(np.full((48, 65, 3), level, np.uint8))
        picture.save(folder / name.format(number))
    return folder


def levels_of(path, fps=FPS, **how):
    frames = list(FilmReader(path, options=DecodeOptions(fps=fps, **how)).frames())
    return [round(float(frame.picture.mean())) for frame in frames], frames


@pytest.mark.parametrize("ending", ["png", "jpg", "tif", "bmp", "webp", "ppm"])
def test_a_folder_of_pictures_is_a_film_at_the_given_rate(tmp_path, ending):
    folder = draw(tmp_path / "frames", [10, 60, 110, 160], f"f{{}}.{ending}")
    levels, frames = levels_of(folder)
    assert levels == pytest.approx([10, 60, 110, 160], abs=2)
    assert [frame.start_seconds for frame in frames] == [n / FPS for n in range(4)]
    assert frames[-1].end_seconds == 4 / FPS


def test_pictures_are_ordered_by_number(tmp_path):
    folder = draw(tmp_path / "frames", range(0, 240, 20), "f{}.png")
    assert levels_of(folder)[0] == list(range(0, 240, 20))


def test_a_pattern_selects_matching_names(tmp_path):
    folder = draw(tmp_path / "frames", [10, 20, 30], first=9998)
    draw(folder, [200, 210], "other_{:04d}.png")
    assert levels_of(folder / "shot_%04d.png")[0] == [10, 20, 30]
    with pytest.raises(FilmError, match="holds no pictures"):
        levels_of(folder / "none_%03d.png")


def test_missing_numbers_and_other_kinds_are_noted(tmp_path):
    folder = draw(tmp_path / "frames", [10, 20, 30, 40])
    (folder / "shot_0002.png").unlink()
    draw(folder, [1], "thumb{}.jpg")
    (folder / "notes.txt").write_text("no picture")
    reader = FilmReader(folder, options=DecodeOptions(fps=FPS))
    assert levels_of(folder)[0] == [10, 30, 40]
    assert reader.notes == [
        "3 pictures, shot_0001.png to shot_0004.png",
        "left out 1 pictures of other kinds",
        "1 numbers are missing between them; the next picture follows",
    ]


def test_numbered_pictures_need_a_frame_rate_and_films_refuse_one(tmp_path):
    folder = draw(tmp_path / "frames", [10])
    with pytest.raises(FilmError, match="without a frame rate; expected one: give `fps`"):
        FilmReader(folder)
    Image.fromarray(np.zeros((8, 8), np.uint8)).save(tmp_path / "film.gif")
    with pytest.raises(FilmError, match="frame rate of its own; leave out `fps`"):
        FilmReader(tmp_path / "film.gif", options=DecodeOptions(fps=FPS))


def test_a_folder_without_pictures_is_refused(tmp_path):
    with pytest.raises(FilmError, match="holds no pictures"):
        FilmReader(tmp_path, options=DecodeOptions(fps=FPS))


def test_pictures_decode_equally_in_parallel_and_in_a_subprocess(tmp_path):
    folder = draw(tmp_path / "frames", [n % 250 for n in range(230)])
    expected = levels_of(folder)[0]
    assert expected == [n % 250 for n in range(230)]
    apart = SubprocessFilmReader(folder, options=DecodeOptions(fps=FPS)).frames()
    assert [round(float(frame.picture.mean())) for frame in apart] == expected


def test_pictures_are_pickled_with_the_audio_file_in_their_folder(tmp_path):
    folder = draw(tmp_path / "frames", [10] * 12 + [255] + [10] * 35)
    sound = np.zeros(2 * 44_100)
    sound[22_050:22_250] = 0.5
    soundfile.write(folder / "sound.wav", sound, 44_100)
    library = Library.create(tmp_path / "library")
    film, new = pickle_film(folder, library, PickleOptions(fps=Fraction(24)))
    assert new
    assert film.card.fps == 24
    assert film.card.frames == 48
    assert len(film.sound) == 2 * 22_050
    # Resampling rings a little before the click.
    assert np.flatnonzero(np.abs(film.sound) > 0.2)[0] == pytest.approx(11_025, abs=2)
    assert pickle_film(folder, library, PickleOptions(fps=Fraction(24)))[1] is False
    assert pickle_film(folder, library, PickleOptions(fps=Fraction(25)))[1] is True


def test_pictures_without_audio_can_be_rendered_but_not_pickled(tmp_path):
    folder = draw(tmp_path / "frames", [10, 200] * 12)
    result = run(tmp_path, "pickle", folder, "--library", "library", "--fps", "24")
    assert result.returncode == 1
    assert "has no audio stream" in result.stderr
    assert "put its audio file next to the pictures" in result.stderr
    result = run(tmp_path, "render", folder, "--fps", "24")
    assert result.returncode == 0, result.stderr
    assert "frames-sounding.mp4  1.000 s" in result.stdout
    rendered = list(FilmReader(tmp_path / "frames-sounding.mp4").frames())
    assert len(rendered) == 24
    assert rendered[-1].end_seconds == 1


def test_a_picture_that_is_not_a_file_is_refused(tmp_path):
    folder = draw(tmp_path / "frames", [10, 20])
    (folder / "shot_0002.png").write_bytes(b"")
    with pytest.raises(FilmError, match=r"shot_0002\.png is empty"):
        levels_of(folder)


def webp(path, levels, milliseconds, size=(32, 24)):
    pictures = [Image.new("RGB", size, (level,) * 3) for level in levels]
    pictures[0].save(
        path,
        save_all=True,
        append_images=pictures[1:],
        duration=milliseconds,
        lossless=True,
        minimize_size=False,
    )
    return path


def test_an_animated_webp_is_a_film(tmp_path):
    film = webp(tmp_path / "film.webp", [10, 60, 110, 160], [100, 40, 250, 30])
    levels, frames = levels_of(film, None)
    assert levels == [10, 60, 110, 160]
    assert [frame.end_seconds for frame in frames] == [
        Fraction(n, 1000) for n in (100, 140, 390, 420)
    ]


def test_short_webp_delays_become_100_ms(tmp_path):
    film = webp(tmp_path / "film.webp", [10, 60, 110], [0, 10, 40])
    assert [frame.end_seconds for frame in levels_of(film, None)[1]] == [
        Fraction(n, 1000) for n in (100, 200, 240)
    ]


def test_a_still_and_a_broken_webp_are_refused(tmp_path):
    Image.new("RGB", (32, 24), (90,) * 3).save(tmp_path / "still.webp", lossless=True)
    assert levels_of(tmp_path / "still.webp", None)[0] == [90]
    film = webp(tmp_path / "film.webp", [10, 60, 110, 160], [100] * 4)
    film.write_bytes(film.read_bytes()[:-30])
    with pytest.raises(FilmError):
        levels_of(film, None)


def test_a_webp_that_is_too_large_is_refused(tmp_path):
    film = webp(tmp_path / "film.webp", [10, 60], [100, 100], (200, 100))
    with pytest.raises(FilmError, match=r"200x100, expected 0\.01 megapixels"):
        FilmReader(film, options=DecodeOptions(limits=Limits(max_megapixels=0.01)))


def test_an_animated_webp_can_be_rendered(tmp_path):
    webp(tmp_path / "film.webp", [10, 60, 110, 160] * 5, 50)
    result = run(tmp_path, "render", "film.webp")
    assert result.returncode == 0, result.stderr
    assert "film-sounding.mp4  1.000 s" in result.stdout
    assert "the picture was webp" not in result.stderr
    events = list(FilmReader(tmp_path / "film-sounding.mp4", 22_050))
    assert len([event for event in events if isinstance(event, Frame)]) == 20


def test_hidden_files_are_no_audio(tmp_path):
    folder = draw(tmp_path / "frames", [10])
    (folder / "s.wav").write_bytes(b"")
    (folder / "._s.wav").write_bytes(b"")  # as macOS leaves on other file systems
    assert audio_file(folder) == folder / "s.wav"


def test_signs_that_are_like_digits_are_no_numbers(tmp_path):
    names = ["a\u2460\u00b21.png", "a\u2460\u00b22.png", "a\u2460\u00b210.png"]
    for name in names[::-1]:
        draw(tmp_path / "frames", [10], name)
    files, notes = image_files(tmp_path / "frames")
    assert [file.name for file in files] == names
    assert notes[1] == "7 numbers are missing between them; the next picture follows"
