"""Writing a drawn scene as a film, with its truth beside it."""

from __future__ import annotations

from pathlib import Path

import av

from frame2sound.atomic import atomic_write, refuse_existing
from frame2sound.clock import Clock
from frame2sound.errors import SoundtrackError
from frame2sound.film.drawing.scene import Scene
from frame2sound.film.encoding.audio_encoder import AudioEncoder, container_options
from frame2sound.film.encoding.containers import audio_codec_for
from frame2sound.progress import ProgressCallback, ignore_progress


def truth_path(film: Path) -> Path:
    """Return where the truth of a demo film is written."""
    return film.with_suffix(".json")


def write_scene(
    scene: Scene,
    path: Path,
    *,
    with_audio: bool = True,
    overwrite: bool = False,
    on_progress: ProgressCallback = ignore_progress,
) -> None:
    """Draw a scene into a film (H.264, and the container's usual sound) and its truth into JSON.

    Parameters
    ----------
    with_audio : bool
        Without it the film is silent: an animation to be given sound.
    on_progress : callable
        Is called with the frames drawn.

    Raises
    ------
    SoundtrackError
        The output exists, cannot be written, or cannot hold the picture or the sound.
    """
    codec = audio_codec_for(path)
    clock = Clock(scene.clock.fps, codec.supported_sample_rate(scene.clock.sample_rate))
    if clock != scene.clock:
        raise SoundtrackError(
            f"{path.name}: its sound can be {clock.sample_rate} Hz, got {scene.clock.sample_rate}"
        )
    refuse_existing(truth_path(path), SoundtrackError, overwrite=overwrite)
    with atomic_write(path, SoundtrackError, overwrite=overwrite) as partial:
        options = container_options(partial, clock.sample_rate)
        with av.open(str(partial.absolute()), "w", options=options) as target:
            if "h264" not in target.supported_codecs:
                raise SoundtrackError(
                    f"{path.name}: {path.suffix} cannot hold an H.264 picture; write to .mp4"
                )
            picture = target.add_stream("libx264", rate=clock.fps, options={"crf": "14"})
            picture.width, picture.height = scene.size
            picture.pix_fmt = (
                "yuv420p" if scene.size[0] % 2 == scene.size[1] % 2 == 0 else "yuv444p"
            )
            voice = AudioEncoder(target, codec, clock.sample_rate, 1) if with_audio else None
            for frame in range(scene.frame_count):
                drawn = av.VideoFrame.from_ndarray(scene.draw(frame), "rgb24")
                drawn.pts, drawn.time_base = frame, 1 / clock.fps
                target.mux(picture.encode(drawn))
                if voice is not None:
                    voice.write(
                        scene.synthesise(clock.start_sample(frame), clock.start_sample(frame + 1))
                    )
                on_progress(path.name, frame + 1, scene.frame_count, "")
            target.mux(picture.encode(None))
            if voice is not None:
                voice.close()
    with atomic_write(truth_path(path), SoundtrackError) as partial:
        partial.write_text(scene.truth.to_json() + "\n")
