"""A JACK server with its dummy driver, for tests and benchmarks: sound without a sound card."""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

MISSING = "these tests need jackd, which is not installed; on Debian: apt install jackd2"


@contextmanager
def dummy_jack(folder: Path, name: str, *, realtime: bool = False) -> Iterator[dict[str, str]]:
    """Run a server; yield the environment with which programs find it. Its log is ``jackd.log``."""
    program = shutil.which("jackd")
    assert program is not None, MISSING
    mode = ["-R", "-P", "30"] if realtime else ["-r"]
    command = [program, "--name", name, *mode, "--no-mlock", "-d", "dummy", "-r", "48000", "-p"]
    log = folder / "jackd.log"
    with log.open("w") as out:
        server = subprocess.Popen([*command, "256"], stdout=out, stderr=subprocess.STDOUT)
    try:
        _wait_until_it_runs(server, log)
        yield {"JACK_DEFAULT_SERVER": name, "JACK_NO_START_SERVER": "1"}
    finally:
        server.terminate()
        server.wait(10)


def _wait_until_it_runs(server: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(100):
        time.sleep(0.05)
        assert server.poll() is None, log.read_text()
        if "JACK server starting" in log.read_text():
            time.sleep(0.3)
            return
    raise AssertionError(log.read_text())
