"""Decoding on a device, where PyAV offers one and it knows the film's codec."""

from __future__ import annotations

from av.codec.hwaccel import HWAccel, hwdevices_available
from av.container import InputContainer

from frame2sound.errors import FilmError
from frame2sound.film.decoding.probe import Streams


def open_with_hardware(device: str, streams: Streams) -> InputContainer:
    """Open a film whose pictures are decoded by a device, or where it cannot, as without it.

    What is decoded comes to the computer's own memory. H.264 and its like define every pixel, so
    that a device gives the same pictures.

    Raises
    ------
    FilmError
        There is no such device here.
    """
    known = hwdevices_available()
    if device not in known:
        raise FilmError(
            f"got --hardware {device}, expected one that is built in here: {', '.join(known)}; "
            "or leave it away"
        )
    try:
        return streams.open(HWAccel(device))
    except FilmError as error:
        raise FilmError(
            f"--hardware {device} does not open here ({error.__cause__}); leave it away, or mend "
            "its driver"
        ) from error
