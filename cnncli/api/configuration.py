"""Configurations with everything resolved, and what they may say."""

from __future__ import annotations

from collections.abc import Sequence
from os import PathLike
from typing import Any

from cnncli import config as configuration
from cnncli.api.given import Config, locate


def show_config(
    config: Config | None = None, *, run: str | PathLike[str] | None = None, set: Sequence[str] = ()
) -> dict[str, Any]:
    """A configuration with every name, input and default written out, as nested dictionaries, which is a
    configuration too. Raises UsageError, ConfigError, CheckpointError."""
    return configuration.load(locate(config, run), set).resolved()


def config_schema() -> dict[str, Any]:
    """The JSON Schema of a configuration."""
    return configuration.schema()
