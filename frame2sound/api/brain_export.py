"""Brains as steps that other programs can run."""

from __future__ import annotations

from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Literal, get_args

if TYPE_CHECKING:
    from frame2sound.brain.brain import Brain

Part = Literal["network", "motion"]


def export_onnx(
    brain: Brain | str | PathLike[str],
    out: str | PathLike[str],
    *,
    part: Part = "network",
    overwrite: bool = False,
) -> None:
    """Write a brain as ONNX: a step from a frame, and the state before it, to its prediction.

    Needs the extra ``onnx``. What is inside: the network, and the decoding of magnitudes or sound;
    or the motion head, from the numbers of motion to events and levels. Not inside are the
    measurement of motion, and the rules for silent screens.

    Parameters
    ----------
    brain : Brain, str or path
        Brain, the name of one that ships, or a ``.safetensors`` file.
    out : str or path
        File to write.
    part : {"network", "motion"}
        The network, or the motion head, which finds events.
    overwrite : bool
        Replace a file that exists.

    Raises
    ------
    BrainError
        The brain cannot be read or has no motion head, or the file exists or cannot be written.
    ParameterError
        There is no such part.
    MissingPackageError
        onnx is not installed.
    """
    from frame2sound.api.parameters import one_of
    from frame2sound.brain import onnx_export, onnx_motion
    from frame2sound.brain.brain import Brain
    from frame2sound.brain.brain_file import load_brain
    from frame2sound.brain.pretrained import find_brain
    from frame2sound.extras import require_extra

    one_of("part", part, get_args(Part))
    require_extra("onnx", onnx_export.EXTRA, "`export_onnx`")
    opened = brain if isinstance(brain, Brain) else load_brain(find_brain(Path(brain)))
    write = onnx_motion.export_motion_onnx if part == "motion" else onnx_export.export_onnx
    write(opened, Path(out), overwrite=overwrite)
