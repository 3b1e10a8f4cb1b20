"""Brains as steps that other programs can run."""

from __future__ import annotations

from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from frame2sound.brain.brain import Brain


def export_onnx(
    brain: Brain | str | PathLike[str],
    out: str | PathLike[str],
    *,
    overwrite: bool = False,
) -> None:
    """Write a brain as ONNX: a step from a frame, and the state before it, to its prediction.

    Needs the extra ``onnx``. What is inside: the network, and the decoding of magnitudes or sound;
    not the motion head, which finds events, nor the rules for silent screens.

    Parameters
    ----------
    brain : Brain, str or path
        Brain, the name of one that ships, or a ``.safetensors`` file.
    out : str or path
        File to write.
    overwrite : bool
        Replace a file that exists.

    Raises
    ------
    BrainError
        The brain cannot be read, or the file exists or cannot be written.
    MissingPackageError
        onnx is not installed.
    """
    from frame2sound.brain import onnx_export
    from frame2sound.brain.brain import Brain
    from frame2sound.brain.brain_file import load_brain
    from frame2sound.brain.pretrained import find_brain
    from frame2sound.extras import require_extra

    require_extra("onnx", onnx_export.EXTRA, "`export_onnx`")
    opened = brain if isinstance(brain, Brain) else load_brain(find_brain(Path(brain)))
    onnx_export.export_onnx(opened, Path(out), overwrite=overwrite)
