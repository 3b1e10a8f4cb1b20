"""Learn the sound of films, and give animations a soundtrack.

The Python interface is loaded when a name of it is first used; ``import frame2sound`` itself is
fast and imports neither NumPy nor PyTorch.

Examples
--------
>>> import frame2sound as f2s
>>> library = f2s.Library.create("my-library")  # doctest: +SKIP
>>> library.add_films(["my-film.mp4"], progress=True)  # doctest: +SKIP
>>> brain = f2s.train(library, "deep", out="my-brain.safetensors")  # doctest: +SKIP
>>> print(f2s.render("my-animation.mp4", brain=brain))  # doctest: +SKIP
my-animation-sounding.mp4  12.000 s  22050 Hz

Data flows one way through the package: ``film`` (decoding and encoding), ``library`` (frames and
sound of films on disk), ``brain`` and ``training``, ``rendering`` (soundtracks), ``evaluation``
and ``comparison``.
"""

import os
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from frame2sound.api.brain_export import export_onnx
    from frame2sound.api.brains import (
        BrainCard,
        describe_brain,
        load_brain,
        load_recipe,
        train,
    )
    from frame2sound.api.carriers import (
        PictureSound,
        SoundPictures,
        SoundThroughTool,
        send_through,
        to_picture,
        to_sound,
    )
    from frame2sound.api.comparing import ComparisonResult, compare
    from frame2sound.api.drawing import DrawnFilm, demo_film_names, draw_film
    from frame2sound.api.dreaming import DreamedSound, dream
    from frame2sound.api.hearing import HeardSound, HearingResult, hear
    from frame2sound.api.instruments import ExportedInstrument, export_sfz
    from frame2sound.api.library import Library
    from frame2sound.api.library_records import AddedFilm, LibraryListing
    from frame2sound.api.live import play_live
    from frame2sound.api.live_drawing import draw_live
    from frame2sound.api.live_drawing_records import LiveDrawingResult
    from frame2sound.api.live_records import LiveResult
    from frame2sound.api.measuring import SoundtrackMeasurements, measure
    from frame2sound.api.pair_report import PairReport, report_pair
    from frame2sound.api.parameters import ParameterError
    from frame2sound.api.picture_filters import filter_picture
    from frame2sound.api.rendering import RenderedSoundtrack, render
    from frame2sound.api.sonifying import PictureAsSound, sonify
    from frame2sound.api.sorting import SortResult, load_judge, sort
    from frame2sound.api.sound_drawing import (
        SoundDrawing,
        SungDrawing,
        draw_sound,
        sing_drawing,
    )
    from frame2sound.api.synaesthesia import (
        ExampleSet,
        load_pair,
        make_notes,
        make_squiggles,
        train_pair,
    )
    from frame2sound.api.tones import ToneTable, tones
    from frame2sound.api.watching import FailedSoundtrack, watch
    from frame2sound.brain.brain import Brain
    from frame2sound.brain.pretrained import pretrained_brains
    from frame2sound.brain.recipe import Recipe, recipe_names
    from frame2sound.clock import Clock
    from frame2sound.errors import Frame2SoundError
    from frame2sound.library.store import PickledFilm
    from frame2sound.progress import ProgressCallback
    from frame2sound.web.server import open_studio

# How long threads spin before they sleep. Without a limit they slow each other down on a busy
# machine; with none they take twice as long on an idle one. Read by PyTorch's OpenMP on Linux.
os.environ.setdefault("GOMP_SPINCOUNT", "10000")

# Without this, MKL's results on old or non-Intel processors depend on the alignment of arrays in
# memory, so that a brain's predictions differ in the last digits from run to run. Read when PyTorch
# first multiplies; the cost is too small to measure.
os.environ.setdefault("MKL_CBWR", "AUTO")

__version__ = "0.2.0"

__all__ = [
    "AddedFilm",
    "Brain",
    "BrainCard",
    "Clock",
    "ComparisonResult",
    "DrawnFilm",
    "DreamedSound",
    "ExampleSet",
    "ExportedInstrument",
    "FailedSoundtrack",
    "Frame2SoundError",
    "HeardSound",
    "HearingResult",
    "Library",
    "LibraryListing",
    "LiveDrawingResult",
    "LiveResult",
    "PairReport",
    "ParameterError",
    "PickledFilm",
    "PictureAsSound",
    "PictureSound",
    "ProgressCallback",
    "Recipe",
    "RenderedSoundtrack",
    "SortResult",
    "SoundDrawing",
    "SoundPictures",
    "SoundThroughTool",
    "SoundtrackMeasurements",
    "SungDrawing",
    "ToneTable",
    "compare",
    "demo_film_names",
    "describe_brain",
    "draw_film",
    "draw_live",
    "draw_sound",
    "dream",
    "export_onnx",
    "export_sfz",
    "filter_picture",
    "hear",
    "load_brain",
    "load_judge",
    "load_pair",
    "load_recipe",
    "make_notes",
    "make_squiggles",
    "measure",
    "open_studio",
    "play_live",
    "pretrained_brains",
    "recipe_names",
    "render",
    "report_pair",
    "send_through",
    "sing_drawing",
    "sonify",
    "sort",
    "to_picture",
    "to_sound",
    "tones",
    "train",
    "train_pair",
    "watch",
]

_MODULES = {
    "api.brain_export": ("export_onnx",),
    "api.brains": ("BrainCard", "describe_brain", "load_brain", "load_recipe", "train"),
    "api.carriers": (
        "PictureSound",
        "SoundPictures",
        "SoundThroughTool",
        "send_through",
        "to_picture",
        "to_sound",
    ),
    "api.comparing": ("ComparisonResult", "compare"),
    "api.dreaming": ("DreamedSound", "dream"),
    "api.drawing": ("DrawnFilm", "demo_film_names", "draw_film"),
    "api.hearing": ("HeardSound", "HearingResult", "hear"),
    "api.instruments": ("ExportedInstrument", "export_sfz"),
    "api.library": ("Library",),
    "api.library_records": ("AddedFilm", "LibraryListing"),
    "api.live": ("play_live",),
    "api.live_drawing": ("draw_live",),
    "api.live_drawing_records": ("LiveDrawingResult",),
    "api.live_records": ("LiveResult",),
    "api.measuring": ("SoundtrackMeasurements", "measure"),
    "api.parameters": ("ParameterError",),
    "api.picture_filters": ("filter_picture",),
    "api.rendering": ("RenderedSoundtrack", "render"),
    "api.sonifying": ("PictureAsSound", "sonify"),
    "api.sorting": ("SortResult", "load_judge", "sort"),
    "api.synaesthesia": (
        "ExampleSet",
        "load_pair",
        "make_notes",
        "make_squiggles",
        "train_pair",
    ),
    "api.pair_report": ("PairReport", "report_pair"),
    "api.sound_drawing": ("SoundDrawing", "SungDrawing", "draw_sound", "sing_drawing"),
    "api.tones": ("ToneTable", "tones"),
    "api.watching": ("FailedSoundtrack", "watch"),
    "brain.brain": ("Brain",),
    "brain.pretrained": ("pretrained_brains",),
    "brain.recipe": ("Recipe", "recipe_names"),
    "clock": ("Clock",),
    "errors": ("Frame2SoundError",),
    "library.store": ("PickledFilm",),
    "progress": ("ProgressCallback",),
    "web.server": ("open_studio",),
}
_MODULE_OF_NAME = {name: module for module, names in _MODULES.items() for name in names}


def __getattr__(name: str) -> Any:
    """Import a name of the interface on its first use."""
    if name not in _MODULE_OF_NAME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_MODULE_OF_NAME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """Return the names of the interface, whether they are imported yet or not."""
    return sorted({*globals(), *__all__})
