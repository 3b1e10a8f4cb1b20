"""Where live frames come from: a playing film, a camera, or a region of the screen."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import chain, count, islice
from pathlib import Path
from typing import Any, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from frame2sound.errors import OR_USE_DAMAGED, FilmError, SoundtrackError
from frame2sound.extras import import_extra
from frame2sound.film.decoding.frame_timing import Frame as FilmFrame
from frame2sound.film.small_frames import SIZE, luma
from frame2sound.prefetch import prefetch

Picture = NDArray[np.uint8]

BATCH_FRAMES = 32
"""Frames of a film that are read at once; four batches are read ahead."""

_REGION = re.compile(r"(\d{1,5}),(\d{1,5}),(\d{1,5})x(\d{1,5})")


class PlaybackClock(Protocol):
    """The time at which live frames arrive: the system's, or a simulated one."""

    def wait_until(self, seconds: Fraction) -> float:
        """Wait until so long after the start; return how long ago that was, in seconds."""


@dataclass(frozen=True)
class LiveFrame:
    """A frame that has just arrived.

    Attributes
    ----------
    picture : uint8 array (64, 64) or (64, 64, 3)
    full : uint8 array (height, width, 3), optional
        The RGB picture before it was made small.
    """

    picture: Picture
    full: Picture | None = None


class FrameSource(Protocol):
    """Yields frames as they arrive.

    Attributes
    ----------
    name : str
    fps : float
        The frames per second that arrive.
    skipped : int
        Frames that were left out, since they were too late.
    failure : FilmError or None
        Why there are no more frames, where that is not the end.
    """

    name: str
    fps: float
    skipped: int
    failure: FilmError | None

    def frames(self, clock: PlaybackClock) -> Iterator[LiveFrame]:
        """Yield each frame when it arrives."""


class PlayedFrames:
    """Frames with known times, which arrive when they are due.

    A frame that stands for longer than one frame of the rate arrives again and again, as it would
    from a camera. One that is late by more than a frame is left out.

    Parameters
    ----------
    name : str
    fps : Fraction
    read : callable
        Returns the frames of one pass.
    is_loop : bool
        Begin again at the end.
    """

    def __init__(
        self,
        name: str,
        fps: Fraction,
        read: Callable[[], Iterable[FilmFrame]],
        *,
        is_loop: bool = False,
    ) -> None:
        self.name, self.fps, self.skipped = name, float(fps), 0
        self.failure: FilmError | None = None
        self._step, self._read, self._is_loop = 1 / fps, read, is_loop

    def frames(self, clock: PlaybackClock) -> Iterator[LiveFrame]:
        """Yield each frame when it is due, and wait until the last one has ended."""
        end = Fraction(0)
        with closing(prefetch(self._batches())) as batches:  # type: ignore[type-var]
            for frame in chain.from_iterable(batches):
                due, end = frame.start_seconds, frame.end_seconds
                while due == frame.start_seconds or due < end - self._step / 2:
                    if clock.wait_until(due) > self._step:
                        self.skipped += 1
                    else:
                        yield LiveFrame(frame.picture)
                    due += self._step
        clock.wait_until(end)

    def _batches(self) -> Iterator[list[FilmFrame]]:
        """Yield the frames of all passes, some at a time: the next pass is opened in time."""
        origin = Fraction(0)
        while True:
            end, frames = origin, self._read_pass()
            while batch := list(islice(frames, BATCH_FRAMES)):
                end = origin + batch[-1].end_seconds
                yield [
                    replace(
                        frame,
                        start_seconds=origin + frame.start_seconds,
                        end_seconds=origin + frame.end_seconds,
                    )
                    for frame in batch
                ]
            if not self._is_loop or end == origin or self.failure is not None:
                return
            origin = end

    def _read_pass(self) -> Iterator[FilmFrame]:
        """Yield the frames of a pass; it ends where the film is damaged."""
        try:
            yield from self._read()
        except FilmError as error:
            self.failure = type(error)(str(error).replace(OR_USE_DAMAGED, ""))


def film_frames(path: Path, *, colour: bool, is_loop: bool = False) -> PlayedFrames:
    """Return the frames of a film, which is decoded in a subprocess.

    Raises
    ------
    FilmError
        The film cannot be read.
    """
    from frame2sound.film.decoding.subprocess_reader import SubprocessFilmReader

    reader = SubprocessFilmReader(path)
    fps = _mean_rate(reader.frames()) if reader.streams.is_animated_image else None
    fps = fps or reader.streams.fps
    return PlayedFrames(path.name, fps, lambda: reader.frames(colour=colour), is_loop=is_loop)


def _mean_rate(frames: Iterable[FilmFrame]) -> Fraction | None:
    """Return pictures per second, until the film is damaged; None if there are none."""
    number, seconds = 0, Fraction(0)
    with suppress(FilmError):
        for frame in frames:
            number, seconds = number + 1, frame.end_seconds
    return number / seconds if seconds else None


class CameraFrames:
    """The frames of a camera; they arrive when it delivers them.

    Parameters
    ----------
    camera : int or str
        Its number, from 0, or its device.
    colour : bool
    fps : float, optional
        What is asked for; by default the camera's own rate.

    Raises
    ------
    SoundtrackError
        It cannot be opened.
    """

    def __init__(self, camera: int | str, *, colour: bool, fps: float | None = None) -> None:
        os.environ.setdefault("OPENCV_LOG_LEVEL", "OFF")
        self.name, self.skipped, self._colour = f"camera {camera}", 0, colour
        self.failure: FilmError | None = None
        self._capture = self._open(camera, fps)
        self.fps = fps or float(self._capture.get(cv2.CAP_PROP_FPS)) or 30.0

    @staticmethod
    def _open(camera: int | str, fps: float | None) -> Any:
        from frame2sound.live.pyo_server import quiet_stderr

        with quiet_stderr():
            capture = cv2.VideoCapture(camera)
        if not capture.isOpened():
            capture.release()
            raise SoundtrackError(
                f"camera {camera} cannot be opened, expected one that is connected and that no "
                "other program uses; try another number, or give a film"
            )
        capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)  # older pictures would be seen late
        if fps is not None:
            capture.set(cv2.CAP_PROP_FPS, fps)
        return capture

    def frames(self, clock: PlaybackClock) -> Iterator[LiveFrame]:
        """Yield the frames until the camera ends."""
        try:
            while True:
                arrived, picture = self._capture.read()
                if not arrived:
                    return
                rgb = np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB), np.uint8)
                yield LiveFrame(small_picture(rgb, colour=self._colour), rgb)
        finally:
            self._capture.release()


class ScreenFrames:
    """A region of the screen, or all of one, read at a frame rate.

    Parameters
    ----------
    region : str
        ``"LEFT,TOP,WIDTHxHEIGHT"`` in pixels, or the number of a screen, from 1.
    colour : bool
    fps : float

    Raises
    ------
    SoundtrackError
        There is no such region, or no screen.
    MissingPackageError
        mss is not installed.
    """

    def __init__(self, region: str, *, colour: bool, fps: float = 30.0) -> None:
        self.name, self.fps, self.skipped = f"screen {region}", fps, 0
        self.failure: FilmError | None = None
        self._colour, self._region = colour, region
        mss = import_extra("mss", "live", "`screen`")
        self._lost: type[Exception] = mss.exception.ScreenShotError
        try:
            self._screen = mss.MSS()
            self._area = self._find_area(region)
            self._screen.grab(self._area)
        except mss.exception.ScreenShotError as error:
            reason = " ".join(str(error).split()).rstrip(".")
            raise SoundtrackError(
                f"the screen cannot be read ({reason}), expected a desktop; on Linux set DISPLAY, "
                "or give a film"
            ) from error

    def _find_area(self, region: str) -> dict[str, int]:
        monitors = self._screen.monitors
        if region.isdecimal() and 1 <= int(region) < len(monitors):
            return dict(monitors[int(region)])
        match, whole = _REGION.fullmatch(region), monitors[0]
        left, top, width, height = map(int, match.groups()) if match else (0, 0, 0, 0)
        fits = left + width <= whole["width"] and top + height <= whole["height"]
        if min(width, height) < 1 or not fits:
            raise SoundtrackError(
                f"got `screen={region}`, expected LEFT,TOP,WIDTHxHEIGHT within "
                f"{whole['width']}x{whole['height']}, or a screen from 1 to {len(monitors) - 1}"
            )
        return {"left": left, "top": top, "width": width, "height": height}

    def frames(self, clock: PlaybackClock) -> Iterator[LiveFrame]:
        """Yield a picture of the region for each frame, until the screen can be read no longer."""
        step = 1 / Fraction(self.fps).limit_denominator(1001)
        try:
            for number in count():
                if clock.wait_until(number * step) > step:
                    self.skipped += 1
                    continue
                try:
                    bgra = np.asarray(self._screen.grab(self._area), np.uint8)
                except self._lost:
                    return
                rgb = np.asarray(cv2.cvtColor(bgra, cv2.COLOR_BGRA2RGB), np.uint8)
                yield LiveFrame(small_picture(rgb, colour=self._colour), rgb)
        finally:
            self._screen.close()


def small_picture(rgb: Picture, *, colour: bool) -> Picture:
    """Return an RGB picture as brains see it: the mean of each area, ``(64, 64)`` or in colour."""
    small = np.asarray(cv2.resize(rgb, (SIZE, SIZE), interpolation=cv2.INTER_AREA), np.uint8)
    return small if colour else luma(small)
