"""Files of tensors: other types, shapes and kinds are refused, each in one line."""

import json
import pickle

import msgspec
import numpy as np
import pytest
from safetensors import safe_open
from safetensors.numpy import save_file

from frame2sound.described_tensors import TensorFileKind
from frame2sound.errors import SortingError


class Description(msgspec.Struct, forbid_unknown_fields=True):
    version: int


KIND = TensorFileKind("a thing", "thing", 1, "expected a thing", SortingError)


def written(path, array, description=None):
    save_file({"a": array}, path, {"thing": json.dumps(description or {"version": 1})})
    return path


def read(path):
    KIND.refuse_others(path)
    with safe_open(path, "np") as file:
        KIND.read_description(path, file, Description)
        return KIND.read_arrays(path, file, {"a": ("F32", [2])})


def test_what_is_described_is_read(tmp_path):
    array = np.array([1, 2], np.float32)
    assert np.array_equal(read(written(tmp_path / "a.safetensors", array))["a"], array)


@pytest.mark.parametrize(
    ("array", "description", "message"),
    [
        (np.zeros(2), None, r"F64 \[2\], its description asks for F32 \[2\]"),
        (np.zeros(3, np.float32), None, r"F32 \[3\], its description asks for F32 \[2\]"),
        (np.array([0, np.inf], np.float32), None, "not finite"),
        (np.zeros(2, np.float32), {"version": 1, "x": 0}, "not readable as a thing"),
        (np.zeros(2, np.float32), {"version": 2}, "newer"),
    ],
)
def test_what_is_not_as_described_is_refused(tmp_path, array, description, message):
    path = written(tmp_path / "a.safetensors", array, description)
    with pytest.raises(SortingError, match=message):
        read(path)


def test_a_python_pickle_is_refused_by_name(tmp_path):
    path = tmp_path / "a.safetensors"
    path.write_bytes(pickle.dumps({"a": 1}))
    with pytest.raises(SortingError, match="Python pickle, which can run code"):
        read(path)
