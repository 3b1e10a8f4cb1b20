"""Open the sound card with pyo: through JACK, PortAudio, or simulated into a file."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

from frame2sound.errors import SoundtrackError
from frame2sound.rendering.granular.pyo_engine import quiet_pyo

Audio = Literal["auto", "jack", "portaudio"]

CLIENT_NAME = "frame2sound"

_MISSING = {
    "jack": "JACK does not run, expected one to {use}; "
    "start it with: jackd -d dummy, or with your sound card's driver",
    "portaudio": "found no sound card{kind}, expected one to {use}; "
    "connect one, start JACK, or {instead}",
}

_OUTPUT = {"kind": "", "use": "play to", "instead": "use `offline`"}
_INPUT = {"kind": " with an input", "use": "listen to", "instead": "give a sound file"}


def open_sound_card(
    audio: Audio, sample_rate: int, block_samples: int, *, is_input: bool = False
) -> tuple[Any, str]:
    """Return a booted pyo server, and whether it is "jack" or "portaudio"; "auto" tries both.

    Inputs take JACK's own sample rate and block, whatever they are.

    Raises
    ------
    SoundtrackError
        JACK does not run, there is no sound card, or what is played has another rate or block.
    """
    for kind in ("jack", "portaudio") if audio == "auto" else (audio,):
        server = _boot(kind, sample_rate, block_samples, is_input)
        if server is not None:
            return server, kind
    message = _MISSING["portaudio" if audio == "auto" else audio]
    raise SoundtrackError(message.format(**(_INPUT if is_input else _OUTPUT)))


def open_sound_file(path: Path, seconds: float, sample_rate: int, block_samples: int) -> Any:
    """Return a pyo server that writes into a WAV file of 32-bit floats when it is started."""
    return _boot("offline", sample_rate, block_samples, False, (path, seconds))


def close_server(server: Any) -> None:
    """Stop a server, and release the sound card."""
    with quiet_stderr():
        if server.getIsStarted():
            server.stop()
        if server.getIsBooted():
            server.shutdown()


@contextmanager
def quiet_stderr() -> Iterator[None]:
    """Hide what the libraries of JACK and PortAudio write about what they do not find."""
    saved, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(saved, 2)
        os.close(saved)
        os.close(nowhere)


def _boot(
    audio: str,
    sample_rate: int,
    block_samples: int,
    is_input: bool,
    recording: tuple[Path, float] | None = None,
) -> Any:
    # JACK's library would start a server of its own.
    os.environ.setdefault("JACK_NO_START_SERVER", "1")
    with quiet_stderr():
        pyo = quiet_pyo()
        if audio == "portaudio":
            found = pyo.pa_get_input_devices if is_input else pyo.pa_get_output_devices
            if not found()[0]:
                return None  # pyo would crash
        inputs = 2
        if audio == "portaudio" and is_input:
            inputs = min(2, pyo.pa_get_input_max_channels(pyo.pa_get_default_input()))
        server = pyo.Server(
            sr=sample_rate, nchnls=2, ichnls=inputs, buffersize=block_samples,
            duplex=int(is_input), audio=audio, jackname=CLIENT_NAME,
        )  # fmt: skip
        server.setVerbosity(0)
        server.deactivateMidi()
        if recording is not None:
            path, seconds = recording
            server.recordOptions(dur=seconds, filename=str(path), fileformat=0, sampletype=3)
        server.boot()
    if not server.getIsBooted():
        return None
    got = (round(server.getSamplingRate()), server.getBufferSize())
    if not is_input and got != (sample_rate, block_samples):
        close_server(server)
        raise SoundtrackError(
            f"JACK runs at {got[0]} Hz with {got[1]} samples a period, expected "
            f"{sample_rate} Hz and {block_samples}; start it with: "
            f"jackd -d dummy -r {sample_rate} -p {block_samples}"
        )
    return server
