"""How far in time an example of a recipe reaches beyond its frame."""

from __future__ import annotations

from fractions import Fraction

from frame2sound.brain.motion import MAX_GAP_FRAMES, MAX_LEAD_SECONDS, PAST_PICTURES
from frame2sound.brain.recipe import Recipe
from frame2sound.brain.targets import build_target


def reach_seconds(recipe: Recipe) -> Fraction:
    """Return how far apart two examples of a recipe must be to share neither picture nor sound.

    An example has past frames, an excerpt of sound around its frame and, with a motion head, the
    motion of some pictures before it, whose sound may begin earlier. Recurrent networks and
    convolutions over time remember more: what their state holds is not counted.
    """
    clock = recipe.to_clock()
    frames, frame_seconds = recipe.input.past_frames, 1 / clock.fps
    excerpt = Fraction(build_target(recipe).excerpt_length, clock.sample_rate)
    reaches = [frames * frame_seconds, excerpt]
    if recipe.events.head == "motion":
        motion_frames = (PAST_PICTURES + 1) * MAX_GAP_FRAMES
        reaches.append(motion_frames * frame_seconds + Fraction(MAX_LEAD_SECONDS))
    return max(reaches) + frame_seconds
