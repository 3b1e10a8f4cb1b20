"""The whole of a comparison: trained, played, measured, and laid out on a page."""

from __future__ import annotations

from typing import Any

from frame2sound.comparison.comparison import Comparison, Show
from frame2sound.comparison.plan import Plan
from frame2sound.comparison.results import results, write_results
from frame2sound.studio.report import write_report


def run_comparison(
    plan: Plan, device: str, show: Show, *, overwrite: bool = False
) -> dict[str, Any]:
    """Run a comparison, or go on with one, and write its results and its page.

    Parameters
    ----------
    plan : Plan
    device : str
        As for training.
    show : function
        Is told a task's name, how much is done, of how much, and a note.
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
    comparison = Comparison(plan, device, show)
    comparison.check()
    identity = plan.settle(overwrite=overwrite)
    played = comparison.run()
    table = {"identity": identity, **results(comparison, played)}
    write_results(table, plan.out)
    write_report(table, plan.out)
    return table
