"""What the tests fork ends as what the program starts."""

import platform
import signal

import pytest

from frame2sound.film import sandbox

READER = "frame2sound.film.decoding.subprocess_reader"


@pytest.fixture(params=["forked", "started"])
def start(request):
    """Start a process by forking, and as the program does."""
    if request.param == "started":
        request.getfixturevalue("real_subprocesses")
    return sandbox.start_process


def test_a_module_runs_and_its_output_is_read(start):
    process = start("platform")
    assert process.stdout.read().decode().strip() == platform.platform()
    assert process.wait() == process.returncode == 0
    process.communicate()


def test_a_module_that_fails_ends_with_1(start, capfd):
    process = start("no_such_module")
    assert process.wait() == 1
    process.communicate()
    assert "no_such_module" in capfd.readouterr().err


def test_a_process_that_waits_for_requests_is_killed(start):
    process = start(READER)
    process.kill()
    process.communicate()
    assert process.wait() == -signal.SIGKILL
    process.kill()


def test_a_process_whose_requests_end_ends(start):
    process = start("code")
    process.stdin.write(b"import os; print(os.getpgrp() == os.getpid())")
    process.stdin.close()
    assert process.stdout.read() == b">>> True\n>>> "
    assert process.wait() == 0
    process.stdout.close()
