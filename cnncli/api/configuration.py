"""Configurations with everything resolved, and what they may say."""

from __future__ import annotations

from collections.abc import Sequence
from os import PathLike
from typing import Any

from cnncli import config as configuration
from cnncli.api.session import Config, locate
from cnncli.config import Experiment


def show_config(
    config: Config | None = None, *, run: str | PathLike[str] | None = None, set: Sequence[str] = ()
) -> Experiment:
    """What a configuration says: `to_yaml()` or `resolved()`. Raises UsageError, ConfigError, CheckpointError."""
    return configuration.load(locate(config, run), set)


def config_schema() -> dict[str, Any]:
    """The JSON Schema of a configuration."""
    return configuration.schema()
