"""Starts the program's subprocesses by forking a process that has imported what they need.

That takes a tenth of the time of starting Python. What is forked runs the same module as the
program's own subprocess would, in a process group of its own, with the same pipes.
"""

from __future__ import annotations

import gc
import json
import os
import runpy
import select
import signal
import socket
import subprocess
import sys
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from threading import Lock

from frame2sound.threads import ONE_THREAD_ENVIRONMENT

MODULES = (
    "cv2",
    "frame2sound.carriers.picture_process",
    "frame2sound.film.decoding.subprocess_reader",
    "frame2sound.film.encoding.soundtrack_writer",
)
"""What is imported before."""

MAX_REQUEST_BYTES = 1 << 17


class ForkedProcess:
    """A process that was forked, with the part of `subprocess.Popen` that the program uses."""

    def __init__(self, pidfd: int, stdin: int, stdout: int, status: int) -> None:
        self.stdin, self.stdout = os.fdopen(stdin, "wb"), os.fdopen(stdout, "rb")
        self._pidfd, self._status = pidfd, status
        self.returncode: int | None = None

    def kill(self) -> None:
        """Kill the process, if it still runs."""
        if self.returncode is None:
            with suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._pidfd, signal.SIGKILL)

    def wait(self) -> int:
        """Wait for the process to end; return its exit status, or minus the signal."""
        if self.returncode is None:
            self.returncode = os.waitstatus_to_exitcode(int.from_bytes(os.read(self._status, 4)))
            os.close(self._status)
            os.close(self._pidfd)
        return self.returncode

    def communicate(self) -> None:
        """Close the pipes and wait for the process to end."""
        self.stdout.close()
        self.wait()
        self.stdin.close()


class ForkServer:
    """The tests' side of the process that forks; it starts with the first subprocess."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._socket: socket.socket

    def start(self, module: str) -> ForkedProcess:
        """Fork a process that runs a module in this folder and environment."""
        (child_in, stdin), (stdout, child_out), (status, child_status) = (
            os.pipe() for _ in range(3)
        )
        request = [module, str(Path.cwd()), dict(os.environ | ONE_THREAD_ENVIRONMENT)]
        with self._lock:
            if self._process is None:
                self._process, self._socket = _start_server()
            passed = [child_in, child_out, 2, child_status]
            socket.send_fds(self._socket, [json.dumps(request).encode()], passed)
            _, (pidfd,), _, _ = socket.recv_fds(self._socket, 1, 1)
        for descriptor in (child_in, child_out, child_status):
            os.close(descriptor)
        return ForkedProcess(pidfd, stdin, stdout, status)

    def close(self) -> None:
        """End the process that forks."""
        if self._process is not None:
            self._socket.close()
            self._process.wait()


def _start_server() -> tuple[subprocess.Popen[bytes], socket.socket]:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with theirs:
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", __name__, str(theirs.fileno())],
            stdin=subprocess.DEVNULL,
            pass_fds=[theirs.fileno()],
            env=os.environ
            | ONE_THREAD_ENVIRONMENT
            | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            process_group=0,
        )
    return process, ours


def serve_forks(control: socket.socket) -> None:
    """Fork for every request until the tests close the connection."""
    wake_read, wake_write = os.pipe()
    os.set_blocking(wake_write, False)
    signal.signal(signal.SIGCHLD, lambda *received: None)
    signal.set_wakeup_fd(wake_write)
    statuses: dict[int, int] = {}
    while True:
        ready = select.select([control, wake_read], [], [])[0]
        if wake_read in ready:
            os.read(wake_read, 4096)
            _report_ended(statuses)
        if control in ready:
            request, descriptors, _, _ = socket.recv_fds(control, MAX_REQUEST_BYTES, 4)
            if not request:
                return
            *pipes, status = descriptors
            process = os.fork()
            if process == 0:
                _run_module(pipes, *json.loads(request))
                return
            statuses[process] = status
            pidfd = os.pidfd_open(process)
            socket.send_fds(control, [b"."], [pidfd])
            for descriptor in (*pipes, pidfd):
                os.close(descriptor)


def _report_ended(statuses: dict[int, int]) -> None:
    """Send the exit statuses of processes that have ended."""
    while statuses:
        process, ended = os.waitpid(-1, os.WNOHANG)
        if process == 0:
            return
        status = statuses.pop(process)
        with suppress(BrokenPipeError):
            os.write(status, ended.to_bytes(4))
        os.close(status)


def _run_module(pipes: list[int], module: str, folder: str, environment: dict[str, str]) -> None:
    """Become the process that was asked for."""
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.setpgid(0, 0)
    for number, descriptor in enumerate(pipes):
        os.dup2(descriptor, number)
    os.closerange(3, 1024)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    del sys.argv[1:]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    for name in MODULES:
        import_module(name)
    gc.freeze()
    serve_forks(socket.socket(fileno=int(sys.argv[1])))
