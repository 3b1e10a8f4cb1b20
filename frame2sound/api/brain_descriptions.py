"""What a brain was trained on, how well, and who decides what, in a few lines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from frame2sound.api.records import count_films

if TYPE_CHECKING:
    from frame2sound.brain.event_head import HeadSettings
    from frame2sound.brain.recipe import Recipe

SILENCE_LOSS = 0.98
"""A brain whose held-out loss is this or more is no better than silence, which scores 1."""

_SPEAKERS = {"motion": "the motion of the picture", "picture": "the network"}


def describe_training(provenance: dict[str, Any]) -> list[str]:
    """Return what a brain was trained on and how well, in a few lines; silence has loss 1."""
    from frame2sound.brain.brain_file import parse_provenance
    from frame2sound.library.calibration import CALIBRATION_NAME

    origin = parse_provenance(provenance)
    if not origin.known:
        return ["it does not say what it was trained on"]
    pairs, best = origin.pairs, max(origin.best_epoch - 1, 0)
    names = [film.name for film in origin.films]
    films = count_films(len(names) - (CALIBRATION_NAME in names))
    screens = " and of black and white screens" if CALIBRATION_NAME in names else ""
    lines = [
        f"learned {pairs.learned} pairs of {films}{screens} "
        f"in {origin.seconds:.0f} s, {origin.epochs} epochs"
    ]
    held_out = origin.held_out_loss[best] if origin.held_out_loss else None
    if not origin.loss:
        lines.append("interrupted in its first epoch")
    elif held_out is None or origin.held_out_loss_of_mean is None:
        loss = origin.loss[best]
        lines.append(f"loss {loss:.3f} (silence 1.000); the library is too short to hold any out")
    else:
        lines.append(
            f"held-out loss {held_out:.3f} (silence 1.000, the mean sound "
            f"{origin.held_out_loss_of_mean:.3f}), {pairs.held_out} pairs"
        )
        if held_out >= SILENCE_LOSS:
            lines.append("no better than silence on held-out film: it replays what it remembers")
        elif held_out >= origin.held_out_loss_of_mean:
            lines.append("no better than the mean sound, which ignores the picture")
    if origin.brightness_share:
        lines.append(f"its loudness follows the brightness alone by {origin.brightness_share:.0%}")
    return lines


def describe_events(events: HeadSettings, recipe: Recipe) -> list[str]:
    """Return who decides when events begin, how loud sound is and what spectrum it has."""
    from frame2sound.brain.event_head import KNOWN_LEVEL
    from frame2sound.library.coupling import without_zero

    onset, chance, network = map(
        without_zero, (events.onset_f, events.onset_chance, events.network_onset_f)
    )
    level, network_level = map(
        without_zero, (events.level_correlation, events.network_level_correlation)
    )
    by_motion = events.events == "motion"
    if recipe.events.decide != "held-out":
        says = ", as the recipe says"
    elif by_motion and events.network_onset_f >= events.onset_f:
        says = ", since too few onsets are held out to judge the network"
    elif not by_motion and events.network_level_correlation >= KNOWN_LEVEL:
        says = ", since it predicts the levels"
    else:
        says = ""
    spectra = "the films' scenes" if by_motion and events.spectrum == "mean" else "the network"
    levels = _SPEAKERS["motion" if by_motion else events.level]
    return [
        f"events by {_SPEAKERS[events.events]}{says} (held-out onsets: motion {onset}, "
        f"the network {network}, chance {chance})",
        f"levels by {levels} (held-out correlation: motion {level}, the network {network_level}); "
        f"spectra by {spectra}",
    ]
