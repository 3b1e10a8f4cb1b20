"""Write a scene as a film, and its ground truth as JSON."""

from __future__ import annotations

from pathlib import Path

import av

from frame2sound.atomic import atomic_write, check_writable
from frame2sound.clock import Clock
from frame2sound.errors import SoundtrackError
from frame2sound.film.drawing.scene import Scene
from frame2sound.film.encoding.audio_encoder import AudioEncoder, container_options
from frame2sound.film.encoding.containers import audio_codec_for, require_h264
from frame2sound.film.encoding.video_encoder import RgbEncoder
from frame2sound.progress import ProgressCallback, ignore_progress


def truth_path(film: Path) -> Path:
    """Return the path of a demo film's ground truth."""
    return film.with_suffix(".json")


def write_scene(
    scene: Scene,
    path: Path,
    *,
    with_audio: bool = True,
    overwrite: bool = False,
    on_progress: ProgressCallback = ignore_progress,
) -> None:
    """Write a scene as a film (H.264, the container's default audio codec) and its truth as JSON.

    Its sound is stereo where the scene has places at left and right.

    Parameters
    ----------
    with_audio : bool
        False for a silent animation.
    on_progress : ProgressCallback
        Called with the number of frames drawn.

    Raises
    ------
    SoundtrackError
        The output exists, cannot be written, or does not support the video or the audio.
    """
    codec = audio_codec_for(path, is_h264=True)
    clock = Clock(scene.clock.fps, codec.supported_sample_rate(scene.clock.sample_rate))
    if clock != scene.clock:
        raise SoundtrackError(
            f"{path.name}: its sound can be {clock.sample_rate} Hz, got {scene.clock.sample_rate}"
        )
    check_writable(truth_path(path), SoundtrackError, overwrite=overwrite)
    with atomic_write(path, SoundtrackError, overwrite=overwrite) as partial:
        options = container_options(partial, clock.sample_rate)
        with av.open(str(partial.absolute()), "w", options=options) as target:
            require_h264(target, path, SoundtrackError)
            even = scene.size[0] % 2 == scene.size[1] % 2 == 0
            video = RgbEncoder(
                target,
                "libx264",
                scene.size,
                clock.fps,
                {"crf": "14"},
                pixel_format="yuv420p" if even else "yuv444p",
            )
            synthesise = scene.synthesise_stereo or scene.synthesise
            channels = 1 if scene.synthesise_stereo is None else 2
            audio = AudioEncoder(target, codec, clock.sample_rate, channels) if with_audio else None
            for frame in range(scene.frame_count):
                target.mux(video.encode(scene.draw(frame), frame))
                if audio is not None:
                    audio.write(
                        synthesise(clock.start_sample(frame), clock.start_sample(frame + 1))
                    )
                on_progress(path.name, frame + 1, scene.frame_count, "")
            target.mux(video.flush())
            if audio is not None:
                audio.close()
    with atomic_write(truth_path(path), SoundtrackError) as partial:
        partial.write_text(scene.truth.to_json() + "\n")
