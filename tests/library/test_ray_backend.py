"""A cluster of one machine pickles what this machine pickles alone."""

import builtins

import pytest

from frame2sound.errors import LibraryError
from frame2sound.library.ray_backend import pickle_films_on_ray


def test_without_ray_the_error_names_the_package(library, tmp_path, monkeypatch):
    real = builtins.__import__

    def without(name, *how, **more):
        if name == "ray":
            raise ImportError(name)
        return real(name, *how, **more)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(LibraryError, match=r"pip install frame2sound\[cluster\]"):
        list(pickle_films_on_ray([tmp_path / "film.mkv"], library, "local"))
