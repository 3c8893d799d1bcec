from __future__ import annotations

import pytest

from cnncli.errors import UsageError
from cnncli.inspection.views.pick import parse_channels


def test_channels_are_written_as_numbers_and_ranges() -> None:
    assert parse_channels("0, 3,8-10,3") == (0, 3, 8, 9, 10)


@pytest.mark.parametrize("text", ["", "a", "1,,2", "-1", "3-", "1-9999999", "0x1"])
def test_channels_written_otherwise(text: str) -> None:
    with pytest.raises(UsageError, match="is neither a channel nor a range; write it as 0,3,8-10"):
        parse_channels(text)


def test_a_range_that_runs_backwards() -> None:
    with pytest.raises(UsageError) as caught:
        parse_channels("0,5-1")
    assert str(caught.value) == "--channels 0,5-1: '5-1' runs backwards; write it as 1-5"
