"""Verification compares a film with its checksums and finds a single flipped bit."""

import hashlib
import json
from dataclasses import asdict

import numpy as np
import pytest

from frame2sound.library.calibration import add_calibration_film
from frame2sound.library.checksums import hash_file
from frame2sound.library.pickler import pickle_film
from frame2sound.library.verification import array_bytes, verify

FILES = {
    "frames": "frames.npy",
    "times": "times.npy",
    "sound": "sound.npy",
    "full_sound": "full_sound.flac",
}


@pytest.fixture
def film(tmp_path, make_film, library):
    return pickle_film(make_film(tmp_path / "film.mkv", seconds=2), library)[0]


def test_a_card_has_the_checksums_of_the_finished_files(library, film):
    for each in (film, add_calibration_film(library)):
        for name, checksum in asdict(each.card.checksums).items():
            path = each.path / FILES[name]
            assert (checksum is None) == (not path.exists())
            if checksum is not None:
                assert checksum == hashlib.sha256(path.read_bytes()).hexdigest()
    assert film.card.checksums.full_sound is not None
    assert library.films()[1].card.checksums == film.card.checksums


def test_a_file_is_read_in_blocks(tmp_path):
    path, sizes = tmp_path / "file", []
    path.write_bytes(bytes(2_500_000))
    assert hash_file(path, sizes.append) == hashlib.sha256(bytes(2_500_000)).hexdigest()
    assert sizes == [1 << 20, 1 << 20, 2_500_000 - (2 << 20)]


def test_an_undamaged_film_verifies(library, film):
    sizes = []
    assert verify(library, film.path, sizes.append) == []
    assert sum(sizes) == array_bytes([film.path])


@pytest.mark.parametrize("name", FILES.values())
def test_one_flipped_bit_is_found(library, film, name):
    path = film.path / name
    data = bytearray(path.read_bytes())
    data[-8] ^= 1
    path.write_bytes(data)
    (line,) = verify(library, film.path)
    assert line.startswith(f"{name} is not what was pickled: its checksum differs; copy its")


def test_a_film_without_checksums_is_verified_by_its_card(library, film):
    card = film.path / "film.json"
    table = json.loads(card.read_text()) | {"version": 1}
    del table["checksums"], table["full_sound"]
    card.write_text(json.dumps(table))
    assert verify(library, film.path) == []
    np.save(film.path / "sound.npy", np.zeros(5, np.float32))
    (line,) = verify(library, film.path)
    assert "holds float32 (5,), expected float32 (16000,)" in line


def test_missing_files_are_reported(library, film):
    (film.path / "frames.npy").unlink()
    lines = verify(library, film.path)
    assert [line.partition("/frames.npy ")[2][:44] for line in lines] == [
        "is missing or damaged (no such file or direc"
    ]
    (film.path / "film.json").write_text("{")
    (line,) = verify(library, film.path)
    assert "film.json is not readable" in line
    (film.path / "film.json").unlink()
    assert verify(library, film.path) == ["it has no film.json; pickle the film again"]
