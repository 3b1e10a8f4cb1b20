"""What `hear`, `sort` and `dream` reach: run the three programs that measure it, in turn.

    python benchmarks/listening.py [--only hear sort dream] [--films FOLDER] [--causes FOLDER]

`--films` is a folder of real films to sort and to dream of, `--causes` one of films that are named
LABEL__NAME. Without them only drawn sounds and films are measured.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

PROGRAMS = {
    "hear": "listening_features.py",
    "sort": "listening_judge.py",
    "dream": "listening_dream.py",
}


def main() -> int:
    """Read the command line; return 1 if a program failed or missed a bar."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--only", nargs="+", choices=PROGRAMS, default=list(PROGRAMS))
    parser.add_argument("--films", type=Path, help="folder of real films")
    parser.add_argument("--causes", type=Path, help="folder of real films named LABEL__NAME")
    given = parser.parse_args()
    films = [] if given.films is None else [str(given.films)]
    causes = [] if given.causes is None else ["--causes", str(given.causes)]
    words = {
        "hear": [],
        "sort": [*(["--films", *films] if films else []), *causes],
        "dream": ["--real", *films] if films else [],
    }
    failed = False
    for name in given.only:
        print(f"== {name}", flush=True)
        program = Path(__file__).with_name(PROGRAMS[name])
        failed |= bool(subprocess.run([sys.executable, program, *words[name]]).returncode)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
