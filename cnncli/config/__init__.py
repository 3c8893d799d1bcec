"""Configuration: YAML text to a validated experiment, every error with its file, line and column."""

from __future__ import annotations

from typing import Any

from cnncli.config.experiment import Experiment
from cnncli.config.loading import load


def schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of a configuration."""
    from cnncli.config import json_schema  # noqa: PLC0415 - slow to make, and needed by one command alone

    return json_schema.schema()


__all__ = ["Experiment", "load", "schema"]
