"""From the options of rendering to the settings of what reads, sounds and writes."""

from __future__ import annotations

from functools import partial
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

from frame2sound.api.parameters import (
    decibels,
    frame_rate,
    lufs,
    musical_scale,
    seconds,
    setting_texts,
    texts,
)
from frame2sound.errors import SoundtrackError
from frame2sound.film.limits import Limits

if TYPE_CHECKING:
    from frame2sound.api.render_options import RenderOptions
    from frame2sound.film.decoding.options import DecodeOptions
    from frame2sound.rendering.effects import EffectChain
    from frame2sound.rendering.render import Delivery, Style
    from frame2sound.rendering.segment import Segment


def decode_options_of(options: RenderOptions, background: int) -> DecodeOptions:
    """Return how animations are read, with a grey behind transparent pictures."""
    from frame2sound.film.decoding.options import DecodeOptions

    return DecodeOptions(
        video_stream=options.video_stream,
        allow_damaged=options.allow_damaged,
        limits=Limits(options.max_megapixels, options.max_hours),
        hardware=options.hardware,
        fps=None if options.fps is None else frame_rate("fps", options.fps),
        background=background,
    )


def style_builder(options: RenderOptions) -> partial[Style]:
    """Return what builds the style, given the mode."""
    from frame2sound.rendering.events.event_list import read_events
    from frame2sound.rendering.granular.cloud import parse_cloud
    from frame2sound.rendering.mosaic.mosaic_settings import parse_mosaic
    from frame2sound.rendering.render import Style

    source = None if options.phase_from is None else Path(options.phase_from)
    until = options.events_until
    scale = None if options.scale is None else musical_scale("scale", options.scale)
    return partial(
        Style,
        window=options.window,
        overlap_seconds=options.overlap,
        grains=options.grains,
        seed=options.seed,
        phase=options.phase or ("phase-vocoder" if source is None else "from-audio"),
        phase_sound=source,
        cloud=parse_cloud(setting_texts(options.cloud)),
        mosaic=parse_mosaic(setting_texts(options.mosaic), texts("only", options.only)),
        sensitivity=options.sensitivity,
        events=None if options.events is None else read_events(Path(options.events)),
        events_until=None if until is None else float(seconds("events_until", until)),
        scale=scale,
        stereo="place" if options.stereo else "no",
    )


def segment_of(options: RenderOptions) -> Segment:
    """Return the part of an animation that is rendered."""
    from frame2sound.rendering.segment import Segment

    stop = options.stop_seconds
    return Segment(
        seconds("start_seconds", options.start_seconds),
        None if stop is None else seconds("stop_seconds", stop),
    )


def delivery_of(options: RenderOptions) -> Delivery:
    """Return the settings of the output."""
    from frame2sound.rendering.render import Delivery

    kept, loudness = options.keep_original, options.loudness
    return Delivery(
        codec=options.codec,
        wav=options.wav,
        gain_db=decibels("gain", options.gain),
        keep_original_db=None if kept is None else decibels("keep_original", kept),
        overwrite=options.overwrite,
        loudness_lufs=None if loudness is None else lufs("loudness", loudness),
        fade_in_seconds=options.fade_in,
        fade_out_seconds=options.fade_out,
        effects=effect_chain(options.effects, options.effects_file),
        sample_rate=options.sample_rate,
    )


def effect_chain(
    effects: str | EffectChain | None, file: str | PathLike[str] | None
) -> EffectChain | None:
    """Return the chain of effects of a text or of a file; None if neither is given."""
    if effects is not None and file is not None:
        raise SoundtrackError("got `effects` and `effects_file`, expected one of them")
    if effects is None and file is None:
        return None
    from frame2sound.rendering.effects import load_chain, parse_chain

    if file is not None:
        return load_chain(Path(file))
    return parse_chain(effects) if isinstance(effects, str) else effects
