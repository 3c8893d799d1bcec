from __future__ import annotations

from cnncli.render.terminal.fitted import Column, Fitted, Heading
from tests.render.makers import lines


def test_a_heading_breaks_between_facts() -> None:
    heading = Heading("forward", [("input", "a b"), ("true", "c d")], "note")
    assert lines(heading, width=26) == ["forward   input a b", "true c d", "note", ""]
    assert lines(heading, width=40)[0] == "forward   input a b   true c d"


def test_a_table_without_headers_has_no_rule() -> None:
    assert lines(Fitted([Column("", ["a", "b"]), Column("", ["1", "2"])])) == ["a  1", "b  2"]
