"""Run a comparison, and write its results and its page."""

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
    """Run a comparison, or continue one, and write its results and its page.

    Parameters
    ----------
    plan : ComparisonPlan
    device : str
        As for training.
    on_progress : callable
        See `ProgressCallback`.
    overwrite : bool
        Delete the results of an existing comparison in the folder.

    Returns
    -------
    dict
        The content of ``results.json``.

    Raises
    ------
    ComparisonError
        The folder has other content, or another comparison, or another run is at work in it.
    Frame2SoundError
        Training, rendering or writing failed.
    """
    comparison = Comparison(plan, device, on_progress)
    comparison.check_segments()
    with plan.lock_folder():
        identity = plan.claim_folder(overwrite=overwrite)
        results = {"identity": identity, **collect_results(comparison, comparison.run())}
        write_results(results, plan.out)
        write_report(results, plan.out)
    return results
