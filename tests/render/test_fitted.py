from __future__ import annotations

from cnncli.render.terminal.fitted import Column, Fitted, Heading
from tests.render.makers import lines


def test_a_heading_breaks_between_facts() -> None:
    heading = Heading("forward", [("input", "a b"), ("true", "c d")], "note")
    assert lines(heading, width=26) == ["forward   input a b", "true c d", "note", ""]
    assert lines(heading, width=40)[0] == "forward   input a b   true c d"


def test_a_table_without_headers_has_no_rule() -> None:
    assert lines(Fitted([Column("", ["a", "b"]), Column("", ["1", "2"])])) == ["a  1", "b  2"]


def test_columns_that_explain_one_another_go_together() -> None:
    table = Fitted(
        [
            Column("name", ["a"]),
            Column("analytic", ["1"], drop=1, note="two numbers"),
            Column("numeric", ["2"], drop=1, note="two numbers"),
            Column("place", ["[0]"], drop=2, note="where"),
        ]
    )
    heads = {width: lines(table, width=width) for width in (40, 30, 29, 20)}
    assert {width: text[0].split() for width, text in heads.items()} == {
        40: ["name", "analytic", "numeric", "place"],
        30: ["name", "analytic", "numeric", "place"],
        29: ["name", "analytic", "numeric"],
        20: ["name"],
    }
    assert [text[3:] for text in heads.values()] == [["two numbers", "where"]] * 2 + [["two numbers"], []]
