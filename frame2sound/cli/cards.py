"""What is printed of results: JSON, and a brain's card."""

from __future__ import annotations

import json
import sys
from typing import Any

HEARD = 0.98
"""Held-out losses from here on are no better than silence's."""


def print_json(value: Any) -> None:
    """Print plain values as JSON."""
    json.dump(value, sys.stdout, indent=1, ensure_ascii=False)
    sys.stdout.write("\n")


def card(provenance: dict[str, Any]) -> list[str]:
    """Return what a person wants to know of where a brain comes from; silence scores 1."""
    pairs, best = provenance["pairs"], max(provenance["best_epoch"] - 1, 0)
    lines = [
        f"learned {pairs['learned']} pairs of {len(provenance['films'])} films "
        f"in {provenance['seconds']:.0f} s, {provenance['epochs']} epochs"
    ]
    if not provenance["loss"]:
        lines.append("interrupted in its first epoch")
    elif not pairs["held_out"]:
        loss = provenance["loss"][best]
        lines.append(f"loss {loss:.3f} (silence 1.000); the library is too short to hold any out")
    else:
        held, mean = provenance["held_out_loss"][best], provenance["held_out_loss_of_mean"]
        lines.append(
            f"held-out loss {held:.3f} (silence 1.000, the mean sound {mean:.3f}), "
            f"{pairs['held_out']} pairs"
        )
        if held >= HEARD:
            lines.append("no better than silence on held-out film: it replays what it remembers")
    return lines
