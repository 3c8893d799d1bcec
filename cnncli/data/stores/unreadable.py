"""Samples that cannot be read."""

from __future__ import annotations

from collections.abc import Mapping

from cnncli.data.files import some_of
from cnncli.errors import DataError

_FIX = "'cnncli data check' lists all such files"


class UnreadableError(DataError):
    """Some of the samples that were asked for; `reasons` says by row of the store what is wrong with each."""

    def __init__(self, reasons: Mapping[int, str]) -> None:
        super().__init__(f"{some_of(list(reasons.values()))}; {_FIX}")
        self.reasons = reasons
