"""The parts of the Ray backend that need no Ray; test_ray_cluster.py tests the rest."""

import builtins
import socket

import pytest

from frame2sound.errors import LibraryError
from frame2sound.library.pickler import PickleOptions
from frame2sound.library.ray_backend import _check_listening, _pickle_task, pickle_films_on_ray


def test_without_ray_the_error_names_the_package(library, tmp_path, monkeypatch):
    real = builtins.__import__

    def without(name, *how, **more):
        if name == "ray":
            raise ImportError(name)
        return real(name, *how, **more)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(LibraryError, match=r"pip install frame2sound\[cluster\]"):
        list(pickle_films_on_ray([tmp_path / "film.mkv"], library, "local"))


def test_a_task_returns_the_outcome_of_each_film(library, tmp_path, make_film):
    film, bad = make_film(tmp_path / "film.mkv"), tmp_path / "bad.mkv"
    bad.touch()
    sources = [str(bad), str(film), str(film)]
    (_, _, error), *results = _pickle_task(sources, str(library.path), PickleOptions())
    assert error.startswith(f"{bad} is empty")
    (pickled,) = library.films()
    assert results == [(pickled.name, True, ""), (pickled.name, False, "")]


def test_a_machine_without_the_library_returns_an_error(tmp_path):
    ((name, new, error),) = _pickle_task(["film.mkv"], str(tmp_path / "far"), PickleOptions())
    assert (name, new) == ("", False)
    assert error.startswith(f"{tmp_path / 'far'} is no library")


@pytest.mark.parametrize("client", ["", "ray://"])
def test_an_address_is_tried_before_ray_waits_at_it(client):
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"{client}127.0.0.1:{server.getsockname()[1]}"
        _check_listening(address)
    with pytest.raises(OSError, match="refused"):
        _check_listening(address)
    _check_listening("local")
    _check_listening("auto")
