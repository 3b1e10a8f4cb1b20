"""Read .safetensors files of unknown origin whose header describes their tensors in JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import numpy as np
from numpy.typing import NDArray

from frame2sound.errors import Frame2SoundError
from frame2sound.untrusted import (
    PYTHON_PICKLE,
    guess_file_kind,
    one_line_reason,
    parse_json,
    read_safetensors_prefix,
    refuse_newer_version,
)

Arrays = dict[str, NDArray[Any]]
Description = TypeVar("Description", bound=msgspec.Struct)


@dataclass(frozen=True)
class TensorFileKind:
    """What a kind of file is, and what is said of a file that is none.

    Attributes
    ----------
    name : str
        With its article, such as "a judge".
    metadata_key : str
        The header entry that holds the description.
    version : int
        The newest version of the description that is known.
    expected : str
        What to give instead: the end of a message.
    error : type
        What is raised.
    """

    name: str
    metadata_key: str
    version: int
    expected: str
    error: type[Frame2SoundError]

    def refuse_others(self, path: Path) -> None:
        """Raise an error for a file that cannot be read, a Python pickle, and other known kinds."""
        try:
            kind = guess_file_kind(read_safetensors_prefix(path))
        except (OSError, ValueError) as error:
            reason = one_line_reason(error)
            raise self.error(f"{path} cannot be read ({reason}); {self.expected}") from error
        if kind == PYTHON_PICKLE:
            raise self.error(
                f"{path} is a Python pickle, which can run code when loaded; {self.expected}"
            )
        if kind:
            raise self.error(f"{path} is not {self.name} (it looks like {kind}); {self.expected}")

    def read_description(self, path: Path, file: Any, kind: type[Description]) -> Description:
        """Return the description in the header of an open file."""
        try:
            table = parse_json((file.metadata() or {})[self.metadata_key])
        except (KeyError, ValueError) as error:
            raise self.error(
                f"{path} is a .safetensors file of another kind; {self.expected}"
            ) from error
        version = table.get("version") if isinstance(table, dict) else None
        refuse_newer_version(version, self.version, path, self.error)
        try:
            return msgspec.convert(table, kind)
        except (msgspec.ValidationError, RecursionError) as error:
            raise self.error(
                f"{path} is not readable as {self.name}: {one_line_reason(error)}; {self.expected}"
            ) from error

    def read_arrays(
        self, path: Path, file: Any, expected: Mapping[str, tuple[str, list[int]]]
    ) -> Arrays:
        """Return the tensors of an open file, which must have these types and shapes.

        All values must be finite; nothing is loaded before its shape is known to be right.
        """
        for name in sorted(set(file.keys()) ^ expected.keys()):
            state = "missing" if name in expected else "unknown"
            raise self.error(f"{path}: tensor {name[:60]} is {state}; train it again")
        arrays: Arrays = {}
        for name, (kind, shape) in expected.items():
            part = file.get_slice(name)
            if (part.get_dtype(), part.get_shape()) != (kind, shape):
                raise self.error(
                    f"{path}: tensor {name} is {part.get_dtype()} {part.get_shape()}, its "
                    f"description asks for {kind} {shape}; train it again"
                )
            arrays[name] = file.get_tensor(name)
            if not np.isfinite(arrays[name]).all():
                raise self.error(f"{path}: tensor {name} is not finite; train it again")
        return arrays
