"""Which configuration a command was given."""

from __future__ import annotations

from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from typing import Any

from cnncli.config.dump import to_text
from cnncli.errors import UsageError
from cnncli.training.run_directory import RunDirectory

Config = str | PathLike[str] | Mapping[str, Any]
"""A file, YAML text (with a line break in it), or the same as nested dictionaries."""


def locate(config: Config | None, run: str | PathLike[str] | None) -> str | PathLike[str]:
    """The configuration's file or text, as given or in the run directory. Raises UsageError, CheckpointError."""
    if config is not None and run is not None:
        raise UsageError("--config and --run were both given; a run has its own configuration, so leave out --config")
    if run is not None:
        return RunDirectory.open(Path(run)).config
    if config is None:
        raise UsageError(
            "which network? give --config FILE, or --run DIR of a trained one ('cnncli init' has examples)"
        )
    return to_text(config) if isinstance(config, Mapping) else config
