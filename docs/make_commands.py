"""Writes commands.md, the help of every command as plain text: python docs/make_commands.py.

The page is made of the command tree, not of what the terminal shows: so it has no frames and no colour, and is the
same with every version of the libraries that draw those.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from pathlib import Path
from textwrap import wrap
from typing import Any, Literal, get_args, get_origin

from cnncli.cli.app import command_tree
from cnncli.cli.commands import Command

PAGE = Path(__file__).with_name("commands.md")
WIDTH = 100
INTRODUCTION = """\
# Commands

What `--help`, in short `-h`, tells of every command. `cnncli --install-completion` teaches the shell to complete
commands and options. This page is made by `python docs/make_commands.py`.
"""

Rows = list[tuple[str, str]]
"""What stands in the left column, and in the right one."""


def page() -> str:
    """The whole page."""
    sections = [_section(name, command) for name, command in _commands("cnncli", command_tree())]
    return "\n".join([INTRODUCTION, *sections])


def _commands(name: str, command: Any) -> Iterator[tuple[str, Any]]:
    """A command and those below it, each with the words that call it."""
    if isinstance(command, Command):
        command.load()
    yield name, command
    for word, child in getattr(command, "commands", {}).items():
        yield from _commands(f"{name} {word}", child)


def _section(name: str, command: Any) -> str:
    panels = _panels(command)
    width = max((len(left) for rows in panels.values() for left, _ in rows), default=0)
    lines = [f"Usage: {name} {_usage(command)}", "", *_paragraphs(command.help)]
    for title, rows in panels.items():
        lines += ["", f"{title}:", *(line for row in rows for line in _columns(*row, width))]
    if command.epilog:
        lines += ["", *(line for line in command.epilog.splitlines() if line)]
    return "\n".join([f"## {name}", "", "```text", *lines, "```", ""])


def _usage(command: Any) -> str:
    arguments = [parameter.metavar for parameter in _parameters(command) if parameter.param_type_name == "argument"]
    return " ".join(["COMMAND"] if hasattr(command, "commands") else ["[OPTIONS]", *arguments])


def _paragraphs(text: str) -> Iterator[str]:
    for number, paragraph in enumerate(inspect.cleandoc(text).split("\n\n")):
        yield from ([""] if number else []) + wrap(paragraph, WIDTH)


def _columns(left: str, right: str, width: int) -> list[str]:
    """Two columns, of which the right one is wrapped."""
    indent = " " * (width + 4)
    first, *rest = wrap(right, WIDTH - len(indent))
    return [f"  {left:{width}}  {first}", *(indent + line for line in rest)]


def _panels(command: Any) -> dict[str, Rows]:
    """The options, and the commands of a group, under their headings; those without one come first."""
    panels: dict[str, Rows] = {"Options": []}
    for parameter in _parameters(command):
        panels.setdefault(parameter.rich_help_panel or "Options", []).append(_parameter(command, parameter))
    for word, child in getattr(command, "commands", {}).items():
        title = child.rich_help_panel or "Commands"
        panels.setdefault(title, []).append((word, child.help.partition("\n")[0]))
    return {title: rows for title, rows in panels.items() if rows}


def _parameters(command: Any) -> list[Any]:
    """Those that the command's function declares, without what every command line has."""
    return [parameter for parameter in command.params if parameter.name in _hints(command)]


def _hints(command: Any) -> dict[str, Any]:
    parameters = inspect.signature(inspect.unwrap(command.callback), eval_str=True).parameters
    return {name: parameter.annotation for name, parameter in parameters.items()}


def _parameter(command: Any, parameter: Any) -> tuple[str, str]:
    hint = _hints(command)[parameter.name]
    value = parameter.metavar or "|".join(_choices(hint))
    if parameter.param_type_name == "argument":
        return value, parameter.help
    *short, long = sorted(parameter.opts, key=len)
    left = f"{short[0]}, {long}" if short else f"    {long}"
    notes = [*_bounds(hint), *([f"default: {parameter.default}"] if _has_default(parameter) else [])]
    return f"{left} {value}".rstrip(), parameter.help + (f" [{'; '.join(notes)}]" if notes else "")


def _choices(hint: Any) -> list[str]:
    """The words of a Literal, which may stand inside another type."""
    if get_origin(hint) is Literal:
        return list(get_args(hint))
    return [word for inner in get_args(hint) for word in _choices(inner)]


def _bounds(hint: Any) -> list[str]:
    (info,) = hint.__metadata__
    if info.min is not None and info.max is not None:
        return [f"{info.min} to {info.max}"]
    return [f"at least {info.min}"] if info.min is not None else []


def _has_default(parameter: Any) -> bool:
    return not parameter.is_flag and parameter.default not in (None, ())


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
