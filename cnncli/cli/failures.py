"""From exceptions to lines on stderr and exit codes."""

from __future__ import annotations

import typer

from cnncli.errors import CnncliError, ConfigError
from cnncli.wording import nearest, printable

FAILED = 1
WRONG_INPUT = 2
INTERRUPTED = 130
PIPE_CLOSED = 141
"""The reader of a pipe, such as `head`, has seen enough: what a shell reports of a program that this ends."""

(CommandLineError,) = (base for base in typer.BadParameter.__mro__ if base.__name__ == "ClickException")
"""What every error about the words of the command line derives from (typer brings its own click, or uses another)."""


def report(error: BaseException) -> int:
    """Says on stderr what happened, and returns the exit code; raises `error` again where it is a bug."""
    if isinstance(error, ConfigError):
        complain(*map(str, error.problems))
        return error.exit_code
    if isinstance(error, CnncliError):
        complain(str(error))
        return error.exit_code
    if isinstance(error, CommandLineError):
        complain(_command_line_message(error))
        return WRONG_INPUT
    if isinstance(error, KeyboardInterrupt):
        return INTERRUPTED
    if isinstance(error, OSError):
        place = f"{error.filename}: " if error.filename else ""
        complain(f"{place}{error.strerror or error}")
        return FAILED
    if isinstance(error, MemoryError):
        complain("not enough memory; use a smaller train.batch_size, or fewer inputs")
        return FAILED
    raise error


def complain(*messages: str) -> None:
    """One `error: ...` each; further lines of a message are indented."""
    for message in messages:
        # What came from a file must not steer the terminal.
        first, *rest = map(printable, message.rstrip("\n").split("\n"))
        for line in (f"error: {first}", *(f"  {line}" for line in rest)):
            typer.echo(line, err=True)


def _command_line_message(error: BaseException) -> str:
    message: str = error.message if hasattr(error, "possibilities") else error.format_message()  # type: ignore[attr-defined]
    message = message.replace("Value error, ", "")
    context = getattr(error, "ctx", None)
    known = [name for parameter in context.command.get_params(context) for name in parameter.opts] if context else []
    near = nearest(getattr(error, "option_name", ""), known)
    hint = f"; did you mean {near}?" if near else ""
    usage = f"\ntry '{context.command_path} --help'" if context else ""
    return f"{message.rstrip('.') if hint else message}{hint}{usage}"
