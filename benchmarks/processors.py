"""Run the numeric tests as other processors would: python benchmarks/processors.py.

    FOLDER...     of tests (those that compute)
    --only WORD   only settings whose name contains a word; several may be given
    -n N          number of pytest's processes (2)

PyTorch, MKL, oneDNN, OpenBLAS and NumPy choose their instructions by the processor, and each can be
told to choose those of an older one. MKL chooses others on processors that are not Intel's; a
preloaded library makes it do so here (which needs a C compiler). Settings that this processor does
not support change nothing. Prints a table and the failed tests; exits with 1 if any failed.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
FOLDERS = ["brain", "carriers", "evaluation", "rendering", "sonification", "sound", "synaesthesia"]
FOLDERS += ["training"]
NEWER = ["X86_V4", "AVX512_ICL", "AVX512_SPR", "AVX512F", "AVX512_SKX"]
"""NumPy's names for instructions that Haswell (AVX2) lacks."""

OTHER_MAKER = """
int mkl_serv_intel_cpu_true(void) { return 0; }
int mkl_serv_intel_cpu(void) { return 0; }
"""

PLAIN = """
import sys
from frame2sound.training import optimiser
optimiser.has_matrix_units = lambda: False
import pytest
sys.exit(pytest.main(sys.argv[1:]))
"""
"""Runs pytest in full precision, as on processors without matrix units."""


def settings(shim: Path | None) -> dict[str, dict[str, str]]:
    """Return the environment variables of each setting, by its name."""
    features = np._core._multiarray_umath.__cpu_features__
    numpy = {"NPY_DISABLE_CPU_FEATURES": " ".join(name for name in NEWER if features.get(name))}
    haswell = numpy | {
        "ATEN_CPU_CAPABILITY": "avx2",
        "MKL_ENABLE_INSTRUCTIONS": "AVX2",
        "ONEDNN_MAX_CPU_ISA": "AVX2",
        "OPENBLAS_CORETYPE": "Haswell",
        "PLAIN": "1",
    }
    oldest = haswell | {
        "ATEN_CPU_CAPABILITY": "default",
        "MKL_ENABLE_INSTRUCTIONS": "SSE4_2",
        "ONEDNN_MAX_CPU_ISA": "SSE41",
        "OPENBLAS_CORETYPE": "Prescott",
    }
    table = {
        "as it is": {},
        "two threads": {"OMP_NUM_THREADS": "2", "OPENBLAS_NUM_THREADS": "2"},
        "PyTorch: no vectors": {"ATEN_CPU_CAPABILITY": "default"},
        "PyTorch: AVX2": {"ATEN_CPU_CAPABILITY": "avx2"},
        "MKL_CBWR=OFF": {"MKL_CBWR": "OFF"},
        "MKL_CBWR=COMPATIBLE": {"MKL_CBWR": "COMPATIBLE"},
        "MKL_CBWR=AVX2": {"MKL_CBWR": "AVX2"},
        "MKL: AVX2": {"MKL_ENABLE_INSTRUCTIONS": "AVX2"},
        "MKL: SSE4.2": {"MKL_ENABLE_INSTRUCTIONS": "SSE4_2"},
        "oneDNN: AVX2": {"ONEDNN_MAX_CPU_ISA": "AVX2"},
        "oneDNN: SSE4.1": {"ONEDNN_MAX_CPU_ISA": "SSE41"},
        "OpenBLAS: Haswell": {"OPENBLAS_CORETYPE": "Haswell"},
        "OpenBLAS: SkylakeX": {"OPENBLAS_CORETYPE": "SkylakeX"},
        "OpenBLAS: Prescott": {"OPENBLAS_CORETYPE": "Prescott"},
        "NumPy: no AVX-512": numpy,
        "all: AVX2, full precision": haswell,
        "all: oldest, full precision": oldest,
    }
    if shim is not None:
        other = haswell | {"LD_PRELOAD": str(shim)}
        table |= {
            "all: AVX2, another maker": other,
            "the same, two threads": other | {"OMP_NUM_THREADS": "2"},
            "the same, MKL_CBWR=OFF": other | {"MKL_CBWR": "OFF"},
        }
    return table


def main() -> None:
    """Run the tests with each setting."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("folders", nargs="*", default=FOLDERS)
    parser.add_argument("--only", nargs="+", default=[""])
    parser.add_argument("-n", default="2")
    args = parser.parse_args()
    failures: dict[str, list[str]] = {}
    with tempfile.TemporaryDirectory() as folder:
        table = settings(other_maker(Path(folder)))
        print("| setting | passed | failed | seconds |\n|---|--:|--:|--:|")
        for name, environment in table.items():
            if any(word in name for word in args.only):
                failures[name] = run_tests(name, environment, args.folders, args.n)
    for name, failed in failures.items():
        for test in failed:
            print(f"{name}: {test}")
    sys.exit(any(failures.values()))


def run_tests(
    name: str, environment: dict[str, str], folders: list[str], processes: str
) -> list[str]:
    """Run the tests with a setting, print a row, and return the failed tests."""
    began = time.monotonic()
    start = ["-c", PLAIN] if "PLAIN" in environment else ["-m", "pytest"]
    words = ["-n", processes, "-p", "no:cacheprovider", "--tb=no"]
    completed = subprocess.run(
        [sys.executable, *start, *words, *(f"tests/{folder}" for folder in folders)],
        cwd=ROOT,
        env=os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)} | environment,
        capture_output=True,
        text=True,
    )
    failed = re.findall(r"^(?:FAILED|ERROR) (\S+)", completed.stdout, re.MULTILINE)
    passed = sum(map(int, re.findall(r"^(?:.*, )?(\d+) passed", completed.stdout, re.MULTILINE)))
    if completed.returncode and not failed:
        output = completed.stdout + completed.stderr
        failed = [f"pytest ended with {completed.returncode}: {output[-300:]}"]
    seconds = time.monotonic() - began
    print(f"| {name} | {passed} | {len(failed)} | {seconds:.0f} |", flush=True)
    return sorted(set(failed))


def other_maker(folder: Path) -> Path | None:
    """Return a library that makes MKL see no Intel processor; None without a C compiler."""
    source, shim = folder / "maker.c", folder / "maker.so"
    source.write_text(OTHER_MAKER)
    try:
        subprocess.run(["cc", "-shared", "-fPIC", "-o", shim, source], check=True)
    except (OSError, subprocess.CalledProcessError):
        print("no C compiler: settings of another maker are omitted", file=sys.stderr)
        return None
    return shim


if __name__ == "__main__":
    main()
