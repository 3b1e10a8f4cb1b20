"""Only one training at a time writes a brain, and the lock of a killed one is released."""

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from frame2sound.errors import TrainingError
from frame2sound.training.checkpoint import lock_output
from frame2sound.training.distributed import SINGLE_PROCESS, ProcessGroup

HOLD_LOCK = """
import sys, time
from pathlib import Path
from frame2sound.training.checkpoint import lock_output
from frame2sound.training.distributed import SINGLE_PROCESS
with lock_output(Path(sys.argv[1]), SINGLE_PROCESS):
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def out(tmp_path):
    return tmp_path / "brains" / "brain.safetensors"


def test_an_error_names_the_holder_of_the_lock(out):
    with lock_output(out, SINGLE_PROCESS):
        match = rf"\.safetensors is being trained by process {os.getpid()} on .* since .*`out`$"
        with pytest.raises(TrainingError, match=match), lock_output(out, SINGLE_PROCESS):
            pytest.fail("the body must not run")
        with lock_output(out.with_name("other.safetensors"), SINGLE_PROCESS):
            pass
    assert list(out.parent.iterdir()) == []


def test_of_several_processes_only_the_main_one_locks(out):
    with lock_output(out, ProcessGroup(0, 2)), lock_output(out, ProcessGroup(1, 2)):
        assert len(list(out.parent.iterdir())) == 2


@pytest.mark.parametrize("failure", [ValueError, KeyboardInterrupt])
def test_an_exception_releases_the_lock(out, failure):
    with pytest.raises(failure), lock_output(out, SINGLE_PROCESS):
        raise failure
    with lock_output(out, SINGLE_PROCESS):
        pass
    assert list(out.parent.iterdir()) == []


def test_a_killed_process_releases_the_lock(out):
    command = [sys.executable, "-c", HOLD_LOCK, str(out)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as first:
        assert first.stdout.readline() == "held\n"
        with (
            pytest.raises(TrainingError, match=f"by process {first.pid} on "),
            lock_output(out, SINGLE_PROCESS),
        ):
            pytest.fail("the body must not run")
        first.send_signal(signal.SIGKILL)
    left = [path.name for path in out.parent.iterdir()]
    assert sorted(left) == [".brain.safetensors.lock", ".brain.safetensors.lock.json"]
    with lock_output(out, SINGLE_PROCESS):
        table = json.loads(Path(out.parent, ".brain.safetensors.lock.json").read_text())
        assert table["process"] == os.getpid()
    assert list(out.parent.iterdir()) == []


def test_an_unwritable_folder_is_an_error(tmp_path):
    (tmp_path / "file").touch()
    out = tmp_path / "file" / "brain.safetensors"
    match = re.escape(f"{out} cannot be written")
    with pytest.raises(TrainingError, match=match), lock_output(out, SINGLE_PROCESS):
        pytest.fail("the body must not run")
