"""The studio: the whole way through the package on films that it draws: demo and gallery."""

from frame2sound.studio.demo import run_demo
from frame2sound.studio.gallery import run_gallery

__all__ = ["run_demo", "run_gallery"]
