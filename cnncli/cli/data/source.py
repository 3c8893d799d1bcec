"""The options that say which data: those of a network, without its weights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cnncli
from cnncli.cli.options import Config, Run, Set

if TYPE_CHECKING:
    from cnncli.api.session import Session


@dataclass(frozen=True)
class DataOptions:
    """Whose data."""

    config: Config = None
    run: Run = None
    set_: Set = None

    def load(self) -> Session:
        """Raises what `cnncli.load` does."""
        return cnncli.load(self.config, run=self.run, set=self.set_ or [])
