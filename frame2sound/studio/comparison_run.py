"""The whole of a comparison: trained, played, measured, and laid out on a page."""

from __future__ import annotations

from typing import Any

from frame2sound.comparison.comparison import Comparison
from frame2sound.comparison.plan import ComparisonPlan
from frame2sound.comparison.results import collect_results, write_results
from frame2sound.progress import ProgressCallback
from frame2sound.studio.comparison_page import write_report


def run_comparison(
    plan: ComparisonPlan, device: str, on_progress: ProgressCallback, *, overwrite: bool = False
) -> dict[str, Any]:
    """Run a comparison, or go on with one, and write its results and its page.

    Parameters
    ----------
    plan : Plan
    device : str
        As for training.
    on_progress : callable
        See `ProgressCallback`.
    overwrite : bool
        Begin anew in a folder that holds another comparison.

    Returns
    -------
    dict
        What ``results.json`` holds.

    Raises
    ------
    ComparisonError
        The folder holds something else, or another comparison.
    Frame2SoundError
        Training, playing or writing failed.
    """
    comparison = Comparison(plan, device, on_progress)
    comparison.check_segments()
    identity = plan.claim_folder(overwrite=overwrite)
    played = comparison.run()
    table = {"identity": identity, **collect_results(comparison, played)}
    write_results(table, plan.out)
    write_report(table, plan.out)
    return table
