"""Commands and groups of commands that load little until they are called."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from types import ModuleType
from typing import Any, cast

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command

from cnncli.cli.signature import flat
from cnncli.errors import UsageError


class Command(TyperCommand):
    """A command that is only its name and the first line of its help until it is called.

    `home` says which function it is, as `module:function`, the module being one of this package.
    """

    def __init__(self, name: str, home: str, help: str, panel: str | None = None) -> None:
        super().__init__(name, help=help, rich_help_panel=panel)
        self.home = home

    def load(self) -> None:
        """Takes options, whole help and examples from the function, whose module is now imported."""
        if self.callback is not None:
            return
        module, _, name = self.home.partition(":")
        function = getattr(import_module(f"cnncli.cli.{module}"), name)
        alone = typer.Typer(add_completion=False)
        alone.command(epilog=function.epilog)(flat(function))
        whole = get_command(alone)
        self.callback, self.params, self.help, self.epilog = whole.callback, whole.params, whole.help, whole.epilog

    def make_context(self, info_name: str | None, args: list[str], parent: Any = None, **extra: Any) -> Any:
        self.load()
        self._require_one_value_each(args)
        return super().make_context(info_name, args, parent, **extra)

    def _require_one_value_each(self, args: list[str]) -> None:
        """Of an option that takes one value the last would count, and an empty path would be the folder one is in."""
        options = {name: option for option in self.params for name in option.opts if name.startswith("-")}
        seen: set[str | None] = set()
        for place, word in enumerate(args):
            name, equals, value = word.partition("=")
            option = options.get(name)
            if option is None or getattr(option, "is_flag", False):
                continue
            if not equals:
                value = next(iter(args[place + 1 :]), "?")  # where there is none, the parser says so
            if not value:
                raise UsageError(f"{name}: its value is empty; is a variable of the shell not set?")
            if option.name in seen and not getattr(option, "multiple", False):
                raise UsageError(f"{name} is given twice; it takes one value")
            seen.add(option.name)

    def format_help(self, ctx: Any, formatter: Any) -> None:
        with lean_help():
            super().format_help(ctx, formatter)


class Group(TyperGroup):
    """A group of commands."""

    default: str | None = None
    """The command that is meant where none is named."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        unnamed = not args or (args[0].startswith("-") and args[0] not in ctx.help_option_names)
        return super().parse_args(ctx, [self.default, *args] if self.default and unnamed else args)

    def format_help(self, ctx: Any, formatter: Any) -> None:
        with lean_help():
            super().format_help(ctx, formatter)


def group(
    name: str, help: str, *commands: Command | Group, panel: str | None = None, default: str | None = None
) -> Group:
    """A group that runs its `default`, or shows its help, where none of its commands is given."""
    app = typer.Typer(add_completion=False, cls=Group)
    app.callback(invoke_without_command=True, help=help)(help_without_command)
    made = filled(app, *commands)
    made.name, made.rich_help_panel, made.default = name, panel, default
    return made


def filled(app: typer.Typer, *commands: Command | Group) -> Group:
    """The group that a typer app with the class Group describes, with these commands in it."""
    made = cast(Group, get_command(app))
    for command in commands:
        made.add_command(command)
    return made


def help_without_command(context: typer.Context) -> None:
    """What a group does before its command: nothing; without one it shows its help."""
    if context.invoked_subcommand is None:
        typer.echo(context.get_help(), nl=False)


@contextmanager
def lean_help() -> Iterator[None]:
    """Typer's help, while it is first loaded, finds stand-ins for two modules that load slowly.

    It needs them for help in Markdown and for its own tracebacks, and we have neither; with what stands behind them
    (a Markdown parser, syntax highlighting) they take longer than all the rest of `cnncli --help`.
    """
    unused = {"rich.markdown": "Markdown", "rich.traceback": "Traceback"}
    stand_ins = {module: ModuleType(module) for module in unused if module not in sys.modules}
    for module, stand_in in stand_ins.items():
        setattr(stand_in, unused[module], type(unused[module], (), {}))
    sys.modules.update(stand_ins)
    try:
        yield
    finally:
        for module in stand_ins:
            del sys.modules[module]
