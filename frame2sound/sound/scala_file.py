"""Read Scala files (``.scl``), the format of large archives of scales.

Source: the description of the format by Manuel Op de Coul, at huygens-fokker.org/scala.
"""

from __future__ import annotations

import math
import re

from frame2sound.sound.scale import Scale
from frame2sound.sound.tone_systems import parse_ratio

MAX_TONES = 4096

_LINE_END = re.compile(r"\r\n|\r|\n")
"""Other characters at which `str.splitlines` breaks are parts of letters in some encodings."""


def parse_scala(text: str, tonic_hz: float) -> Scale:
    r"""Return the scale of a Scala file; its last tone is the period.

    Parameters
    ----------
    text : str
        Comments begin with ``!``. After a description and the number of tones come the tones: in
        cents with a point, otherwise as ratios.
    tonic_hz : float
        The pitch of step 0.

    Raises
    ------
    ValueError
        It is no such file, or its tones do not ascend.

    Examples
    --------
    >>> parse_scala("! a.scl\nfifth and octave\n 2\n 3/2\n 1200.0", 200.0).step_to_hz(1)
    300.0
    """
    lines = [line for line in _LINE_END.split(text) if not line.startswith("!")]
    head = lines[1].split() if len(lines) > 1 else []
    if not head or not head[0].isdigit() or not 1 <= int(head[0][:9]) <= MAX_TONES:
        raise ValueError(f"got no number of tones, expected 1 to {MAX_TONES} in the second line")
    tones = [line.split()[0] for line in lines[2:] if line.strip()][: int(head[0])]
    if len(tones) < int(head[0]):
        raise ValueError(f"got {len(tones)} tones, expected {head[0]}")
    *ratios, period = map(_ratio, tones)
    return Scale(tonic_hz, (1.0, *ratios), period)


def _ratio(word: str) -> float:
    if "." not in word:
        return float(parse_ratio(word))
    cents = float(word)
    if not math.isfinite(cents) or abs(cents) > 12_000:
        raise ValueError(f"got {word} cents, expected at most 12000, ten octaves")
    return 2 ** (cents / 1200)
