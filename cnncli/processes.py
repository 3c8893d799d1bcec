"""What it takes to start another Python beside this one."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import cnncli

CAN_START_PYTHON = bool(sys.executable) and not getattr(sys, "frozen", False)
"""Whether this is a Python that can start another."""


def import_path() -> str:
    """PYTHONPATH for a Python that is to find what this one found, and this package."""
    path = [os.path.abspath(entry) for entry in sys.path if isinstance(entry, str)]  # "" is the current directory
    package = str(Path(cnncli.__file__).parents[1])
    return os.pathsep.join(path if package in path else [package, *path])
