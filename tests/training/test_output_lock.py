"""Two trainings do not write one brain, and one that was killed is in nobody's way."""

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from frame2sound.errors import TrainingError
from frame2sound.training.distributed import SINGLE_PROCESS, ProcessGroup
from frame2sound.training.output_lock import lock_output

HOLDS = """
import sys, time
from pathlib import Path
from frame2sound.training.output_lock import claimed
from frame2sound.training.distributed import ALONE
with claimed(Path(sys.argv[1]), ALONE):
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def out(tmp_path):
    return tmp_path / "brains" / "brain.safetensors"


def test_the_second_is_told_who_the_first_is(out):
    with lock_output(out, SINGLE_PROCESS):
        match = rf"\.safetensors is being trained by process {os.getpid()} on .* since .*--out$"
        with pytest.raises(TrainingError, match=match), lock_output(out, SINGLE_PROCESS):
            pytest.fail("the body must not run")
        with lock_output(out.with_name("other.safetensors"), SINGLE_PROCESS):
            pass
    assert list(out.parent.iterdir()) == []


def test_of_those_who_train_together_one_holds_it(out):
    with lock_output(out, ProcessGroup(0, 2)), lock_output(out, ProcessGroup(1, 2)):
        assert len(list(out.parent.iterdir())) == 2


@pytest.mark.parametrize("failure", [ValueError, KeyboardInterrupt])
def test_one_that_fails_lets_go(out, failure):
    with pytest.raises(failure), lock_output(out, SINGLE_PROCESS):
        raise failure
    with lock_output(out, SINGLE_PROCESS):
        pass
    assert list(out.parent.iterdir()) == []


def test_one_that_is_killed_lets_go(out):
    command = [sys.executable, "-c", HOLDS, str(out)]
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


def test_a_folder_that_cannot_be_written_is_said(tmp_path):
    (tmp_path / "file").touch()
    out = tmp_path / "file" / "brain.safetensors"
    match = re.escape(f"{out} cannot be written")
    with pytest.raises(TrainingError, match=match), lock_output(out, SINGLE_PROCESS):
        pytest.fail("the body must not run")
