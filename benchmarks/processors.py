"""The numeric tests as other processors would run them: python benchmarks/processors.py.

    FOLDER...     of tests (brain, sound, training, rendering, evaluation)
    --only WORD   only settings whose name holds the word; several may be given
    -n N          so many processes of pytest (2)

PyTorch, MKL, oneDNN, OpenBLAS and NumPy each choose by themselves by which instructions they
calculate, and each can be told to choose as on an older processor; MKL chooses otherwise on those
of other makers than Intel, which a library that is loaded before it can make it believe (that needs
a C compiler). Settings that the processor here cannot follow change nothing. Prints a table; ends
with 1 if any test failed, and says which.
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
FOLDERS = ["brain", "sound", "training", "rendering", "evaluation"]
NEWER = ["X86_V4", "AVX512_ICL", "AVX512_SPR", "AVX512F", "AVX512_SKX"]
"""NumPy's names for what processors have that Haswell (AVX2) has not."""

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
"""Full precision, as where there are no matrix units."""


def settings(shim: Path | None) -> dict[str, dict[str, str]]:
    """Return the environments, each by what it stands for."""
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
    """Run the tests under each setting."""
    asked = argparse.ArgumentParser()
    asked.add_argument("folders", nargs="*", default=FOLDERS)
    asked.add_argument("--only", nargs="+", default=[""])
    asked.add_argument("-n", default="2")
    asked = asked.parse_args()
    failures: dict[str, list[str]] = {}
    with tempfile.TemporaryDirectory() as folder:
        table = settings(other_maker(Path(folder)))
        print("| setting | passed | failed | seconds |\n|---|--:|--:|--:|")
        for name, environment in table.items():
            if any(word in name for word in asked.only):
                failures[name] = tried(name, environment, asked.folders, asked.n)
    for name, failed in failures.items():
        for test in failed:
            print(f"{name}: {test}")
    sys.exit(any(failures.values()))


def tried(name: str, environment: dict[str, str], folders: list[str], processes: str) -> list[str]:
    """Run the tests under a setting, print a row, and return which failed."""
    begun = time.monotonic()
    start = ["-c", PLAIN] if "PLAIN" in environment else ["-m", "pytest"]
    words = ["-n", processes, "-p", "no:cacheprovider", "--tb=no"]
    said = subprocess.run(
        [sys.executable, *start, *words, *(f"tests/{folder}" for folder in folders)],
        cwd=ROOT,
        env=os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)} | environment,
        capture_output=True,
        text=True,
    )
    failed = re.findall(r"^(?:FAILED|ERROR) (\S+)", said.stdout, re.MULTILINE)
    passed = sum(map(int, re.findall(r"^(?:.*, )?(\d+) passed", said.stdout, re.MULTILINE)))
    if said.returncode and not failed:
        failed = [f"pytest ended with {said.returncode}: {(said.stdout + said.stderr)[-300:]}"]
    seconds = time.monotonic() - begun
    print(f"| {name} | {passed} | {len(failed)} | {seconds:.0f} |", flush=True)
    return sorted(set(failed))


def other_maker(folder: Path) -> Path | None:
    """Return a library that makes MKL take the processor for another maker's; None without cc."""
    source, shim = folder / "maker.c", folder / "maker.so"
    source.write_text(OTHER_MAKER)
    try:
        subprocess.run(["cc", "-shared", "-fPIC", "-o", shim, source], check=True)
    except (OSError, subprocess.CalledProcessError):
        print("no C compiler: nothing is tried as another maker's processor", file=sys.stderr)
        return None
    return shim


if __name__ == "__main__":
    main()
