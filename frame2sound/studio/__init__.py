"""The studio: the whole way through the package: demo, gallery, and comparisons on a page."""

from frame2sound.studio.comparison_run import run_comparison
from frame2sound.studio.demo import run_demo
from frame2sound.studio.gallery import run_gallery

__all__ = ["run_comparison", "run_demo", "run_gallery"]
