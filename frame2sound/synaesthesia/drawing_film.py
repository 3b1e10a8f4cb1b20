"""Write what is drawn to sounds: a film with the sound, a still, or a folder of stills."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.container import OutputContainer
from numpy.typing import NDArray

from frame2sound.atomic import atomic_write
from frame2sound.carriers.sound_input import Block, SoundInput, open_sound
from frame2sound.clock import sample_at
from frame2sound.errors import SynaesthesiaError
from frame2sound.film.encoding.audio_encoder import AudioEncoder, container_options
from frame2sound.film.encoding.containers import AudioCodec, audio_codec_for, require_h264
from frame2sound.film.encoding.video_encoder import RgbEncoder
from frame2sound.progress import ProgressCallback, ignore_progress
from frame2sound.synaesthesia.moving_drawing import MovingDrawing
from frame2sound.synaesthesia.painter import paint_drawn
from frame2sound.synaesthesia.sliding_windows import second_around, sliding_windows
from frame2sound.synaesthesia.sound_windows import RATE
from frame2sound.synaesthesia.sounds import mono_sound, resampled

FloatArray = NDArray[np.float32]


@dataclass(frozen=True)
class Voices:
    """Sounds of one length that are drawn together: a mix, or its stems.

    Attributes
    ----------
    sounds : tuple of SoundInput
    """

    sounds: tuple[SoundInput, ...]

    @classmethod
    def open(cls, paths: Iterable[Path]) -> Voices:
        """Open sound files or films."""
        return cls(tuple(open_sound(path) for path in paths))

    @property
    def seconds(self) -> Fraction:
        """The length of the longest."""
        return max(Fraction(each.samples, each.sample_rate) for each in self.sounds)

    @property
    def channels(self) -> int:
        """Channels of the sum."""
        return max(each.channels for each in self.sounds)

    def windows(self, fps: Fraction) -> Iterator[FloatArray]:
        """Yield the second around each frame, ``(sounds, 22050)``; ended sounds are silent."""
        sliding = [sliding_windows(mono_sound(each), fps) for each in self.sounds]
        silent = np.zeros(RATE, np.float32)
        for _ in range(frame_count(self.seconds, fps)):
            yield np.stack([next(each, silent) for each in sliding])

    def second_around(self, seconds: Fraction) -> FloatArray:
        """Return the second around a time, ``(sounds, 22050)``."""
        return np.stack([second_around(mono_sound(each), seconds) for each in self.sounds])

    def mixed(self, sample_rate: int) -> Iterator[Block]:
        """Yield the sum of the sounds, ``(n, channels)``, in blocks of a tenth of a second."""
        count = sample_at(self.seconds, sample_rate)
        readers = [_Reader(each, sample_rate, self.channels) for each in self.sounds]
        for first in range(0, count, size := max(1, sample_rate // 10)):
            yield np.sum([each.read(min(size, count - first)) for each in readers], axis=0)


def frame_count(seconds: Fraction, fps: Fraction) -> int:
    """Return the frames of a film as long as a sound, at least."""
    return max(1, -(-seconds.numerator * fps.numerator // (seconds.denominator * fps.denominator)))


def write_film(
    path: Path,
    voices: Voices,
    drawing: MovingDrawing,
    fps: Fraction,
    size: int,
    *,
    overwrite: bool = False,
    on_progress: ProgressCallback = ignore_progress,
) -> int:
    """Write a film that is drawn to sounds, with their sum as its sound; return its frames.

    Raises
    ------
    SoundtrackError
        The output exists, cannot be written, or can hold no H.264.
    """
    codec = audio_codec_for(path, is_h264=True)
    rate = codec.supported_sample_rate(max(each.sample_rate for each in voices.sounds))
    count = frame_count(voices.seconds, fps)
    with (
        atomic_write(path, SynaesthesiaError, overwrite=overwrite) as partial,
        av.open(str(partial.absolute()), "w", options=container_options(partial, rate)) as out,
    ):
        require_h264(out, path, SynaesthesiaError)
        video = RgbEncoder(out, "libx264", (size, size), fps, {"crf": "14"})
        sound = _Soundtrack(out, codec, rate, voices)
        for frame, window in enumerate(voices.windows(fps)):
            out.mux(video.encode(paint_drawn(drawing.frame(window), size), frame))
            sound.write_until(sample_at((frame + 1) / fps, rate))
            on_progress(path.name, frame + 1, count, "")
        out.mux(video.flush())
        sound.close()
    return count


class _Soundtrack:
    """The sum of sounds in a film that is written."""

    def __init__(
        self, out: OutputContainer, codec: AudioCodec, sample_rate: int, voices: Voices
    ) -> None:
        self._blocks = voices.mixed(sample_rate)
        self._encoder = AudioEncoder(out, codec, sample_rate, voices.channels)
        self._is_mono = voices.channels == 1

    def write_until(self, sample: int) -> None:
        """Write blocks up to a sample at least, or to the end."""
        while self._encoder.samples_written < sample:
            block = next(self._blocks, None)
            if block is None:
                return
            self._encoder.write(np.clip(block[:, 0] if self._is_mono else block, -1, 1))

    def close(self) -> None:
        """End the sound."""
        self._encoder.close()


class _Reader:
    """Reads a sound in pieces of any length, silent after its end."""

    def __init__(self, sound: SoundInput, sample_rate: int, channels: int) -> None:
        self._blocks = iter(resampled(sound.blocks(), sound, sample_rate))
        self._kept = np.zeros((0, sound.channels), np.float32)
        self._channels = channels

    def read(self, count: int) -> Block:
        """Return the next ``count`` samples, ``(count, channels)``."""
        while len(self._kept) < count:
            block = next(self._blocks, None)
            if block is None:
                missing = count - len(self._kept)
                block = np.zeros((missing, self._kept.shape[1]), np.float32)
            self._kept = np.concatenate([self._kept, block])
        part, self._kept = self._kept[:count], self._kept[count:]
        return np.broadcast_to(part, (count, self._channels))
