"""Some cases of every kind, and handmade files that look harmless; `python -m tests.fuzz` runs many more."""

from __future__ import annotations

import pytest

from tests.fuzz.runner import fuzz
from tests.fuzz.targets import TARGETS

CASES = 150


@pytest.mark.parametrize("name", TARGETS)
def test_garbled_input_is_read_or_refused(name: str) -> None:
    tally = fuzz(name, CASES)
    assert tally.cases == CASES
    assert not tally.failures, tally
    assert len(tally.outcomes) > 1, tally  # some cases were accepted, and some were not
