"""Kills a training again and again, at any moment, and lets it go on: nothing may be lost.

    python -m tests.training.kill --kills 200

Half of the kills wait for a file to be in the middle of being written. When a training has come to its end, what it
left is compared with what the same training leaves when nobody disturbs it, bit by bit; then the next one starts.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from time import monotonic, sleep

from tests.training.survivor import outcome, prepare, require_whole

ROOT = Path(__file__).parents[2]
_COMMAND = [sys.executable, "-m", "cnncli", "train", "--quiet", "--workers", "1"]
_PATIENCE = 120.0


@dataclass
class Toll:
    """What has happened so far."""

    kills: int = 0
    in_mid_write: int = 0
    finished: int = 0
    before_anything: int = 0  # killed before there was anything to go on from

    def __str__(self) -> str:
        return (
            f"{self.kills} kills, {self.in_mid_write} in the middle of writing, {self.before_anything} before the first"
            f" checkpoint; {self.finished} trainings came to their end, all with the same bits"
        )


def kill_often(folder: Path, kills: int, seed: int = 0) -> Toll:
    """Kills so many trainings in `folder`. Raises AssertionError where one does not end as the undisturbed one."""
    rng = random.Random(seed)
    config = prepare(folder)
    started = monotonic()
    _require_success(_start(["--config", str(config), "--out", str(folder / "undisturbed")]))
    duration = monotonic() - started
    expected = outcome(folder / "undisturbed")
    assert not expected["leftovers"]
    toll = Toll()
    run = folder / "disturbed"
    while toll.kills < kills:
        begun = (run / "config.yaml").exists()
        arguments = ["--resume", str(run)] if begun else ["--config", str(config), "--out", str(run)]
        process = _start(arguments)
        if _kill(process, run, rng, duration, toll):
            if not (run / "config.yaml").exists():  # then it begins anew, in the same place
                toll.before_anything += 1
            else:
                require_whole(run)
        else:
            _finish(process, run, expected, toll)
    if (run / "config.yaml").exists():
        _finish(_start(["--resume", str(run)]), run, expected, toll)
    return toll


def _finish(process: subprocess.Popen[str], run: Path, expected: dict[str, object], toll: Toll) -> None:
    _require_success(process)
    found = outcome(run)
    for name, content in expected.items():
        assert found[name] == content, f"{name} differs after {toll.kills} kills"
    toll.finished += 1
    shutil.rmtree(run)


def _kill(process: subprocess.Popen[str], run: Path, rng: random.Random, duration: float, toll: Toll) -> bool:
    """Whether the process was still there to be killed."""
    if rng.random() < 0.5:
        sleep(rng.uniform(0.3, 1) * duration)  # before that it only loads its libraries
    else:
        skipped = rng.randrange(60)
        seen = ""
        while process.poll() is None:
            now = next((name for name in _names(run) if name.endswith(".tmp")), "")
            if now and now != seen:
                seen = now
                skipped -= 1
                if skipped < 0:
                    break
    if process.poll() is not None:
        return False
    process.kill()
    process.communicate()
    toll.kills += 1
    toll.in_mid_write += any(name.endswith(".tmp") for name in _names(run))
    return True


def _names(folder: Path) -> list[str]:
    try:
        return os.listdir(folder)
    except FileNotFoundError:
        return []


def _start(arguments: list[str]) -> subprocess.Popen[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.Popen(
        [*_COMMAND, *arguments], env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )


def _require_success(process: subprocess.Popen[str]) -> None:
    _, said = process.communicate(timeout=_PATIENCE)
    assert process.returncode == 0, said


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m tests.training.kill", description="Kill trainings, and resume them."
    )
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        print(kill_often(Path(folder), options.kills, options.seed))


if __name__ == "__main__":
    main()
