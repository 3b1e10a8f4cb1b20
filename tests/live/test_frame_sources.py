"""Frames as they arrive: of a film, a camera and a screen; and what is recorded of them."""

from fractions import Fraction

import cv2
import mss
import numpy as np
import pytest
from PIL import Image

from frame2sound.errors import SoundtrackError
from frame2sound.film.decoding.frame_timing import Frame
from frame2sound.film.decoding.reader import FilmReader
from frame2sound.live.frame_sources import CameraFrames, PlayedFrames, ScreenFrames, film_frames
from frame2sound.live.picture_recorder import open_picture_recorder


class FakeClock:
    """Is as late as is said, and keeps what was waited for."""

    def __init__(self, late=()):
        self.waited, self._late = [], dict(late)

    def wait_until(self, seconds):
        self.waited.append(seconds)
        return self._late.get(len(self.waited) - 1, 0.0)


def grey(level):
    return np.full((64, 64), level, np.uint8)


def levels(source, clock):
    return [int(frame.picture[0, 0]) for frame in source.frames(clock)]


def test_a_frame_that_stands_arrives_again_and_again():
    tenth = Fraction(1, 10)
    film = [Frame(0 * tenth, tenth, grey(1)), Frame(tenth, 4 * tenth, grey(2)),
            Frame(4 * tenth, 5 * tenth, grey(3))]  # fmt: skip
    clock = FakeClock()
    assert levels(PlayedFrames("film", Fraction(10), lambda: film), clock) == [1, 2, 2, 2, 3]
    assert clock.waited == [k * tenth for k in range(6)]


def test_a_frame_that_is_late_by_more_than_a_frame_is_left_out():
    film = [Frame(Fraction(k, 10), Fraction(k + 1, 10), grey(k)) for k in range(5)]
    source = PlayedFrames("film", Fraction(10), lambda: film)
    assert levels(source, FakeClock({1: 0.09, 2: 0.11, 3: 0.2})) == [0, 1, 4]
    assert source.skipped == 2


def test_a_loop_goes_on_in_time():
    film = [Frame(Fraction(k, 10), Fraction(k + 1, 10), grey(k)) for k in range(2)]
    clock = FakeClock()
    frames = PlayedFrames("film", Fraction(10), lambda: film, is_loop=True).frames(clock)
    assert [int(next(frames).picture[0, 0]) for _ in range(5)] == [0, 1, 0, 1, 0]
    assert clock.waited == [Fraction(k, 10) for k in range(5)]
    frames.close()


class FakeCamera:
    """Delivers three pictures: left half blue, right half white, in OpenCV's order of colours."""

    opened = True

    def __init__(self, camera):
        self.left, self.is_released = 3, False
        self.settings = {cv2.CAP_PROP_FPS: 25.0}

    def isOpened(self):  # noqa: N802
        return self.opened

    def get(self, name):
        return self.settings.get(name, 0.0)

    def set(self, name, value):
        self.settings[name] = value

    def read(self):
        self.left -= 1
        picture = np.full((120, 160, 3), 255, np.uint8)
        picture[:, :80, 1:] = 0
        return self.left >= 0, picture

    def release(self):
        self.is_released = True


def test_a_camera_is_seen_as_films_are(monkeypatch):
    monkeypatch.setattr(cv2, "VideoCapture", FakeCamera)
    camera = CameraFrames(0, colour=False)
    assert camera.fps == 25
    frames = list(camera.frames(FakeClock()))
    assert len(frames) == 3
    assert np.unique(frames[0].picture[:, :32]).tolist() == [29]  # blue in BT.601
    assert np.unique(frames[0].picture[:, 32:]).tolist() == [255]
    assert frames[0].full.shape == (120, 160, 3)
    assert camera._capture.is_released
    assert CameraFrames(0, colour=True, fps=60).fps == 60


def test_without_a_camera_or_a_screen_it_says_so(monkeypatch):
    monkeypatch.setattr(cv2, "VideoCapture", type("Shut", (FakeCamera,), {"opened": False}))
    with pytest.raises(SoundtrackError, match=r"camera 7 cannot be opened, expected.*connected"):
        CameraFrames(7, colour=False)

    def no_display():
        raise mss.exception.ScreenShotError("$DISPLAY not set.")

    monkeypatch.setattr(mss, "MSS", no_display)
    with pytest.raises(SoundtrackError, match=r"screen cannot be read \(\$DISPLAY not set\)"):
        ScreenFrames("1", colour=False)


class FakeScreen:
    monitors = [dict(left=0, top=0, width=300, height=200)] * 2  # noqa: C408

    def grab(self, area):
        self.area = area
        picture = np.zeros((area["height"], area["width"], 4), np.uint8)
        picture[..., 2] = 255  # red, in blue, green, red
        return picture

    def close(self):
        self.is_closed = True


def test_a_region_of_the_screen_is_read_at_the_frame_rate(monkeypatch):
    monkeypatch.setattr(mss, "MSS", FakeScreen)
    screen, clock = ScreenFrames("10,20,64x128", colour=True, fps=25), FakeClock({2: 1.0})
    frames = screen.frames(clock)
    pictures = [next(frames).picture for _ in range(3)]
    assert clock.waited == [Fraction(k, 25) for k in (0, 1, 2, 3)]
    assert screen.skipped == 1
    assert screen._screen.area == {"left": 10, "top": 20, "width": 64, "height": 128}
    assert np.unique(pictures[0].reshape(-1, 3), axis=0).tolist() == [[255, 0, 0]]
    frames.close()
    assert screen._screen.is_closed
    assert ScreenFrames("1", colour=False)._area["width"] == 300
    for wrong in ("0", "2", "0,0,301x10", "0,0,0x10", "x", "1,2,3"):
        with pytest.raises(SoundtrackError, match="expected LEFT,TOP"):
            ScreenFrames(wrong, colour=False)


def test_a_screen_that_is_lost_ends_as_a_camera_does(monkeypatch):
    class LostScreen(FakeScreen):
        grabs = 0

        def grab(self, area):
            self.grabs += 1
            if self.grabs > 3:  # the first is a trial
                raise mss.exception.ScreenShotError("XGetImage() failed")
            return super().grab(area)

    monkeypatch.setattr(mss, "MSS", LostScreen)
    screen = ScreenFrames("1", colour=False)
    assert len(list(screen.frames(FakeClock()))) == 2
    assert screen._screen.is_closed


def test_pictures_are_kept_at_the_times_at_which_they_arrived(tmp_path):
    path = tmp_path / "seen.mkv"
    arrivals = [0, 1600, 3200, 9600, 11200]
    with open_picture_recorder(path, 48_000, 30.0, overwrite=False) as recorder:
        for level, at in enumerate(arrivals):
            recorder.add(np.full((65, 95, 3), 50 * level, np.uint8), at)
            recorder.add(np.full((65, 95, 3), 255, np.uint8), at)  # the same time: left out
    frames = list(FilmReader(path).frames())
    assert [round(float(frame.start_seconds) * 48_000, -2) for frame in frames] == arrivals
    assert [int(frame.picture[9, 9]) for frame in frames] == pytest.approx(
        [0, 50, 100, 150, 200], abs=4
    )
    with (
        pytest.raises(SoundtrackError, match="expected a film"),
        open_picture_recorder(tmp_path / "seen.txt", 48_000, 30.0, overwrite=False),
    ):
        pass


@pytest.mark.parametrize("kind", ["gif", "webp"])
def test_the_rate_of_an_animated_image_is_that_of_its_pictures(tmp_path, kind):
    pictures = [Image.fromarray(grey(level)) for level in range(0, 200, 20)]
    path = tmp_path / f"film.{kind}"
    delays = [20, 120] * 5
    pictures[0].save(path, save_all=True, append_images=pictures[1:], duration=delays)
    assert film_frames(path, colour=False).fps == pytest.approx(10 / 0.7)


def test_a_damaged_animated_image_is_played_until_there(tmp_path):
    noise = np.random.default_rng(0).integers(0, 255, (20, 64, 64), np.uint8)
    path = tmp_path / "film.png"
    pictures = [Image.fromarray(each) for each in noise]
    pictures[0].save(path, save_all=True, append_images=pictures[1:], duration=100)
    content = bytearray(path.read_bytes())
    content[len(content) // 2 : len(content) // 2 + 300] = b"U" * 300
    path.write_bytes(content)
    source = film_frames(path, colour=False)
    assert source.fps == 10
    assert 8 <= sum(1 for _ in source.frames(FakeClock())) <= 11
    assert str(source.failure).endswith("; copy it again")
