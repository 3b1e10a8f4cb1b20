"""A cluster of two nodes pickles the same as one process, even if a node dies.

Needs Ray; ``make cluster`` installs it and runs these.
"""

import os
import signal
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from frame2sound.errors import LibraryError
from frame2sound.library import ray_backend
from frame2sound.library.parallel import pickle_films
from frame2sound.library.ray_backend import pickle_films_on_ray
from frame2sound.library.store import Library

pytest.importorskip("ray", reason="Ray is not installed; make cluster installs it")

from ray.cluster_utils import Cluster

HANG_POLLS = 10_000
"""How often a test looks at a process before it counts as hung."""


@pytest.fixture(scope="module")
def cluster():
    """A cluster of one node, with one processor; without Ray's usage reports."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        cluster = Cluster(
            initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False}
        )
        yield cluster
        cluster.shutdown()


@pytest.fixture
def films(tmp_path, make_film):
    return [make_film(tmp_path / f"{name}.mkv", seconds=8, seed=ord(name)) for name in "abcdef"]


@pytest.fixture
def expected(films, tmp_path, library):
    """Return the files that one process pickles without a cluster."""
    alone = Library.create(tmp_path / "alone", library.sample_rate)
    assert not [each.error for each in pickle_films(films, alone, jobs=1) if each.error]
    return contents(alone)


def contents(library):
    files = sorted(path for path in library.path.rglob("*") if path.is_file())
    return {str(path.relative_to(library.path)): path.read_bytes() for path in files}


def process_at_work(library, node):
    """Return the process of a node that is pickling a film, or None."""
    (raylet,) = node.all_processes["raylet"]
    for partial in library.path.glob(".*.partial"):
        process = partial.name.split(".")[-2].split("-")[0]
        command = ["ps", "-o", "ppid=", "-p", process]
        parent = subprocess.run(command, capture_output=True, text=True).stdout
        if parent.strip() == str(raylet.process.pid) and partial.exists():
            return int(process)
    return None


def kill(process):
    """Kill a process and wait until it is gone; until then its partial files are not removed."""
    for _ in range(HANG_POLLS):
        try:
            os.kill(process, signal.SIGKILL)
        except ProcessLookupError:
            return
        time.sleep(0.01)
    pytest.fail(f"process {process} does not end")


def kill_node_while_pickling(cluster, doomed, library):
    """Pause both nodes while each pickles a film, kill the doomed one, resume the other."""
    stopped = {}
    try:
        for _ in range(HANG_POLLS):
            for node in {cluster.head_node, doomed} - set(stopped):
                if process := process_at_work(library, node):
                    os.kill(process, signal.SIGSTOP)
                    if process_at_work(library, node) == process:
                        stopped[node] = process
                    else:  # it had finished that film
                        os.kill(process, signal.SIGCONT)
            if len(stopped) == 2:
                break
            time.sleep(0.01)
        assert set(stopped) == {cluster.head_node, doomed}
        cluster.remove_node(doomed, allow_graceful=False)
        kill(stopped.pop(doomed))
    finally:
        for process in stopped.values():
            os.kill(process, signal.SIGCONT)


def test_all_films_are_pickled_even_if_a_node_dies(cluster, films, library, expected):
    doomed = cluster.add_node(num_cpus=1)
    with ThreadPoolExecutor(1) as pool:
        killed = pool.submit(kill_node_while_pickling, cluster, doomed, library)
        outcomes = list(pickle_films_on_ray(films, library, cluster.address))
        killed.result()
    assert [each.error for each in outcomes] == [None] * len(films)
    assert sorted(each.source for each in outcomes) == films
    assert contents(library) == expected


def test_a_bad_film_stops_no_other(cluster, films, library, tmp_path, expected):
    bad = tmp_path / "bad.mkv"
    bad.write_bytes(b"no film at all")
    reports = []

    def report(*arguments):
        reports.append(arguments)

    sources = [bad, *films]
    outcomes = list(pickle_films_on_ray(sources, library, cluster.address, on_progress=report))
    assert {each.source: each.is_new for each in outcomes} == {bad: False} | dict.fromkeys(
        films, True
    )
    (error,) = [each.error for each in outcomes if each.error]
    assert error.startswith(f"{bad} is not readable as a film")
    assert sorted(reports) == [(film.name, 8, 8, "") for film in films]
    assert contents(library) == expected


def test_local_starts_a_cluster_on_this_machine(films, library, expected, monkeypatch):
    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "0")
    assert len(list(pickle_films_on_ray(films, library, "local"))) == len(films)
    assert contents(library) == expected


def test_a_library_missing_on_a_node_is_named(cluster, films, library):
    (library.path / "library.json").unlink()
    outcomes = list(pickle_films_on_ray(films[:2], library, cluster.address))
    assert sorted(each.source for each in outcomes) == films[:2]
    assert all(each.error.startswith(f"{library.path} is no library") for each in outcomes)


def test_any_other_error_of_a_task_is_one_line(cluster, films, library, monkeypatch):
    monkeypatch.setattr(ray_backend, "_pickle_task", lambda *arguments: 1 / 0)
    (outcome,) = pickle_films_on_ray(films[:1], library, cluster.address)
    assert outcome.error == (
        f"{films[0]}: the cluster failed (ZeroDivisionError: division by zero); "
        "install this frame2sound on every machine of it"
    )


def test_an_address_without_a_cluster_is_refused(films, library):
    with pytest.raises(LibraryError, match=r"no cluster was found at '127\.0\.0\.1:1' \(.*refused"):
        list(pickle_films_on_ray(films, library, "127.0.0.1:1"))
