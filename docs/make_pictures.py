"""Makes the pictures of the pages by the commands that stand on them: python docs/make_pictures.py [PAGE...].

In a page `<!-- picture: FILE -->` before an image names the file, among those that the page's commands write, that the
image is a copy of. All pages share one trained network: `first`, LeNet on the embedded digits.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

DOCS = Path(__file__).parent
FENCE = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PICTURE = re.compile(r"<!-- picture: (?P<file>\S+) -->\n!\[[^\]]*\]\((?P<image>[^)]+)\)")
PREPARED = ("init lenet5", "train --config lenet5.yaml --set data.source=mnist-mini --out first --quiet")
"""What a page's commands find done, unless they begin with it themselves."""


def pages() -> list[Path]:
    """Those that have pictures."""
    return [page for page in sorted(DOCS.rglob("*.md")) if PICTURE.search(page.read_text(encoding="utf-8"))]


def commands(page: Path) -> list[str]:
    """The page's commands, without their prompt, as they stand there; a backslash at the end joins two lines."""
    text = "\n".join(FENCE.findall(page.read_text(encoding="utf-8"))).replace("\\\n", " ")
    return [line.removeprefix("$ ").partition("  #")[0].strip() for line in text.splitlines() if line.startswith("$ ")]


def make(page: Path, folder: Path, prepared: Path) -> None:
    """Runs the commands in the folder, and copies the pictures."""
    wanted = [command.removeprefix("cnncli ") for command in commands(page)]
    if wanted[0] != PREPARED[0]:
        shutil.copytree(prepared, folder, dirs_exist_ok=True)
    for command in wanted:
        run(command, folder)
    for found in PICTURE.finditer(page.read_text(encoding="utf-8")):
        image = page.parent / found["image"]
        image.parent.mkdir(exist_ok=True)
        shutil.copyfile(folder / found["file"], image)


def run(command: str, folder: Path) -> None:
    """One command of cnncli."""
    arguments = [sys.executable, "-m", "cnncli", *shlex.split(command)]
    # Safe in a folder that has no module of its own; PYTHONPATH is for a checkout that is not installed.
    environment = {**os.environ, "PYTHONPATH": str(DOCS.parent), "COLUMNS": "100"}
    done = subprocess.run(arguments, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"cnncli {command}\n{done.stderr}")


def main(wanted: list[str]) -> None:
    """Makes the pictures of all pages, or of those that are wanted."""
    with TemporaryDirectory() as prepared:
        for command in PREPARED:
            run(command, Path(prepared))
        for page in pages():
            if not wanted or page.stem in wanted:
                with TemporaryDirectory() as folder:
                    make(page, Path(folder), Path(prepared))
                sys.stdout.write(f"{page.relative_to(DOCS)}\n")


if __name__ == "__main__":
    main(sys.argv[1:])
