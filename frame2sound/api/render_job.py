"""A brain and options, ready to render animations, and where the results are written."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

from frame2sound.api.exporting import check_effects, check_names, check_one_animation, exports_of
from frame2sound.api.parameters import ParameterError, grey_level
from frame2sound.api.render_records import RenderedSoundtrack
from frame2sound.api.render_settings import (
    decode_options_of,
    delivery_of,
    segment_of,
    style_builder,
)
from frame2sound.atomic import refuse_inputs
from frame2sound.brain.pretrained import find_brain
from frame2sound.errors import SoundtrackError

if TYPE_CHECKING:
    from frame2sound.api.render_options import RenderOptions
    from frame2sound.brain.brain import Brain
    from frame2sound.brain.corpus import Corpus, CorpusPointer
    from frame2sound.library.store import Library
    from frame2sound.progress import ProgressCallback
    from frame2sound.rendering.render import Style


class RenderJob:
    """A brain and options, ready to render several animations.

    Raises
    ------
    Frame2SoundError
        The options contradict each other, or there is no such brain.
    """

    def __init__(self, brain: Brain | str | PathLike[str], options: RenderOptions) -> None:
        from frame2sound.api.brains import load_brain
        from frame2sound.brain.brain import Brain

        self.options, self.segment = options, segment_of(options)
        build_style, self.delivery = style_builder(options), delivery_of(options)
        self._inputs = [
            Path(path)
            for path in (options.phase_from, options.effects_file, options.events)
            if path is not None
        ]
        check_effects(options, self.delivery.effects)
        self.exports = exports_of(options)
        if isinstance(brain, Brain):
            self.brain = brain
        else:
            path = find_brain(Path(brain))
            self._inputs.append(path)
            self.brain = load_brain(path, options.device)
        mode = options.choose_mode(has_corpus=self.brain.corpus is not None)
        self.style: Style = build_style(mode=mode)
        self.corpus = _load_corpus(options.corpus, self.brain)
        self.background = grey_level("background", options.background)

    def check_outputs(self, animations: Iterable[Path], outputs: Iterable[Path]) -> None:
        """Raise `SoundtrackError` if an output is a file that is read, or is named twice."""
        animations, outputs = list(animations), list(outputs)
        check_one_animation(self.options, animations)
        check_names(self.exports, outputs)
        outputs += [path for _, path in self.exports.files()]
        for out in outputs:
            refuse_inputs(out, (*self._inputs, *animations), SoundtrackError)

    def render(
        self,
        animation: Path,
        out: Path,
        on_progress: ProgressCallback,
        *,
        overwrite: bool | None = None,
    ) -> RenderedSoundtrack:
        """Render one animation; ``overwrite`` says otherwise than the options if it is given."""
        from frame2sound.film.decoding.subprocess_reader import SubprocessFilmReader
        from frame2sound.rendering.render import render

        delivery = self.delivery
        if overwrite is not None:
            delivery = replace(delivery, overwrite=overwrite)
        decoding = decode_options_of(self.options, self.background)
        film = SubprocessFilmReader(animation, options=decoding)
        result = render(
            film,
            self.brain,
            out,
            self.style,
            delivery,
            on_progress,
            corpus=self.corpus,
            exports=self.exports,
            segment=self.segment,
        )
        return RenderedSoundtrack(
            animation,
            result.path,
            result.seconds,
            result.sample_rate,
            result.channels,
            result.true_peak_db,
            result.loudness_lufs,
            result.notes,
        )


def output_paths(animations: Collection[Path], out: Path | None, wav: bool) -> dict[Path, Path]:
    """Return where the soundtrack of each animation is written.

    Raises
    ------
    ParameterError
        Several would be written to one file.
    """
    from frame2sound.rendering.render import default_output_path

    if out is not None and out.suffix and not out.is_dir():
        if len(animations) > 1:
            raise ParameterError(
                f"got one file `out={out}` for {len(animations)} animations, expected a folder"
            )
        return dict.fromkeys(animations, out)
    outputs = {each: default_output_path(each, out or Path(), wav) for each in animations}
    if len(set(outputs.values())) < len(outputs):
        raise ParameterError(
            "got two animations that would be written under one name, expected different names; "
            "render them into different folders"
        )
    return outputs


def _load_corpus(
    corpus: Library | Corpus | str | PathLike[str] | None, brain: Brain
) -> Corpus | CorpusPointer | None:
    from frame2sound.brain.corpus import Corpus

    if corpus is None:
        return brain.corpus
    if isinstance(corpus, Corpus):
        return corpus
    from frame2sound.api.library import open_library
    from frame2sound.library.corpus import read_corpus

    loudness = brain.recipe.training.loudness
    return read_corpus(open_library(corpus), brain.clock, loudness=loudness)
