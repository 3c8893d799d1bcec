"""The command line of the fuzzing: see the package's docstring."""

from __future__ import annotations

import argparse
import re
import sys
import tempfile
from pathlib import Path

from tests.fuzz.runner import Tally, fuzz
from tests.fuzz.targets import TARGETS
from tests.fuzz.worker import case_of


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description="Throw garbled input at cnncli.")
    parser.add_argument("--target", choices=list(TARGETS), action="append", help="a kind of input; by default all")
    parser.add_argument("--cases", type=int, default=20_000, help="of each kind")
    parser.add_argument("--first", type=int, default=0, help="number of the first case")
    parser.add_argument("--seed", type=int, default=0, help="of all random numbers")
    parser.add_argument("--failures", type=Path, default=Path(tempfile.gettempdir()) / "cnncli-fuzz", metavar="DIR")
    options = parser.parse_args()
    failed = 0
    for name in options.target or TARGETS:
        tally = fuzz(name, options.cases, options.seed, options.first)
        print(tally, flush=True)
        _keep(tally, options.failures)
        failed += len(tally.failures)
    return 1 if failed else 0


def _keep(tally: Tally, folder: Path) -> None:
    """Writes what failed, the input and what became of it; says of each kind of failure where the first one is."""
    if not tally.failures:
        return
    folder.mkdir(parents=True, exist_ok=True)
    kinds: dict[str, list[str]] = {}
    with tempfile.TemporaryDirectory() as scratch:
        target = TARGETS[tally.target](Path(scratch))
        for number, failure in tally.failures.items():
            stem = folder / f"{tally.target}-{tally.seed}-{number}"
            stem.with_suffix(".input").write_bytes(case_of(target, tally.seed, number))
            stem.with_suffix(".txt").write_text(failure)
            last = failure.rstrip().rsplit("\n", 1)[-1][:300]
            kinds.setdefault(re.sub("cnncli-fuzz-[^/]*", "DIR", last), []).append(str(stem))
    for last, stems in kinds.items():
        print(f"  {len(stems)} times: {last}\n    {stems[0]}.input")


if __name__ == "__main__":
    sys.exit(main())
