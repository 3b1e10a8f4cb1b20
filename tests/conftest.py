"""What tests share: films made at test time, and the real ones where they lie beside the project."""

from __future__ import annotations

from pathlib import Path

import pytest

FILMS = Path(__file__).resolve().parents[2] / "shared" / "films"


@pytest.fixture(scope="session")
def real_films() -> Path:
    """The folder of real films; tests that need it skip, saying so, where it is absent."""
    if not FILMS.is_dir():
        pytest.skip("the folder of real films, shared/films, is not beside the project")
    return FILMS
