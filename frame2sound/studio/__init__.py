"""Programs that use the whole package: demo, gallery, and comparison with its page."""

from frame2sound.studio.comparison_run import run_comparison
from frame2sound.studio.demo import run_demo
from frame2sound.studio.gallery import run_gallery

__all__ = ["run_comparison", "run_demo", "run_gallery"]
