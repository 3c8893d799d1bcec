"""What the YAML parser says about text that is not YAML, in words that name the mistake and its mending."""

from __future__ import annotations

from yaml import MarkedYAMLError

from cnncli.config.wording import shown

# A piece of the parser's problem, and our sentence. PyYAML's two parsers word some mistakes differently.
# {opened}: the line and column where the unfinished thing starts; {character}: the one at the place.
_INDENTATION = "wrong indentation, or ': ' or '- ' is missing: this does not continue what starts at {opened}"
_HEADER = "only + or - or an indentation may follow '|' and '>' on the same line"
_ESCAPE = "unknown escape in a quoted text; use 'single quotes' for a text with backslashes"
_SENTENCES = {
    "a tab character": "a tab cannot indent YAML; use spaces",
    "a closing bracket": "{character} closes nothing",
    "cannot start any token": "{character} cannot start a value; put the text in quotes",
    "mapping values are not allowed": "': ' is not allowed here; check the indentation, or put the text in quotes",
    "expected ',' or ']'": "the list that '[' opens at {opened} is not closed: ',' or ']' is missing before this",
    "expected ',' or '}'": "the mapping that '{{' opens at {opened} is not closed: ',' or '}}' is missing before this",
    "unexpected end of stream": "the quote that opens here is never closed",
    "unexpected document": "the quote that opens here is never closed",
    "expected '-' indicator": _INDENTATION,
    "expected key": _INDENTATION,
    "expected <block end>": _INDENTATION,
    "sequence entries are not allowed": "'- ' is not allowed here; a list starts on its own line, or is written [a, b]",
    "could not find expected ':'": "': ' is missing after this key",
    "expected the node content": "a value is missing before {character}",
    "expected node content": "a value is missing before {character}",
    "<document start>": "nothing may follow the end of the configuration, but here is {character}",
    "unknown escape character": _ESCAPE,
    "hexdecimal number": _ESCAPE,
    "expected comment or line break": _HEADER,
    "expected chomping": _HEADER,
    "incompatible YAML document": "this is for another version of YAML; remove the line with %YAML",
}
# Problems that the parser notices only behind the mistake, which stands where the unfinished thing starts.
_FOUND_LATE = ("could not find expected ':'", "unexpected end of stream", "unexpected document")


def explain(error: MarkedYAMLError, text: str) -> tuple[int, int, str]:
    """(line, column, sentence), line and column from 1, for what the parser raised on `text`."""
    problem = str(error.problem)
    opened = error.context_mark or error.problem_mark
    mark = opened if any(piece in problem for piece in _FOUND_LATE) else error.problem_mark or opened
    line, column = (mark.line, mark.column) if mark else (0, 0)
    if "unknown escape" in problem and column and _character(text, line, column - 1) == shown("\\"):
        column -= 1  # one of the parsers points behind the backslash
    character = _character(text, line, column)
    if character == "a tab" and "cannot start any token" in problem:
        problem = "a tab character"
    if character in ("']'", "'}'") and "expected ','" not in problem:
        problem = "a closing bracket"
    sentence = next((ours for piece, ours in _SENTENCES.items() if piece in problem), None)
    if sentence is None:
        return line + 1, column + 1, f"not valid YAML: {problem}"
    at = f"{opened.line + 1}:{opened.column + 1}" if opened else "the start"
    return line + 1, column + 1, sentence.format(opened=at, character=character)


def _character(text: str, line: int, column: int) -> str:
    """The character at a place, as a sentence names it."""
    rows = text.splitlines()
    rest = rows[line][column:] if line < len(rows) else ""
    if not rest:
        return "the end of the text" if line >= len(rows) - 1 else "the end of the line"
    return "a tab" if rest[0] == "\t" else shown(rest[0])
