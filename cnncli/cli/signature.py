"""Option groups: a command's parameter may be a dataclass, whose fields are then options of the command."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import MISSING, Field, fields, is_dataclass
from inspect import Parameter, Signature, signature
from typing import Any, get_type_hints

from cnncli.cli.panels import PANELS


def flat(function: Callable[..., None]) -> Callable[..., None]:
    """The same command, taking every option by itself: what typer can read. They are sorted by PANELS."""
    hints = get_type_hints(function, include_extras=True)
    groups = {name: hints[name] for name in signature(function).parameters if is_dataclass(hints[name])}

    def command(**options: Any) -> None:
        made = {
            name: group(**{field.name: options.pop(field.name) for field in fields(group)})
            for name, group in groups.items()
        }
        function(**options, **made)

    parameters: list[Parameter] = []
    for name, parameter in signature(function).parameters.items():
        parameters += _options(groups[name]) if name in groups else [parameter.replace(annotation=hints[name])]
    parameters.sort(key=_panel)
    command.__signature__ = Signature(  # type: ignore[attr-defined]
        [parameter.replace(kind=Parameter.KEYWORD_ONLY) for parameter in parameters]
    )
    command.__doc__ = function.__doc__
    return command


def _options(group: type[Any]) -> Iterator[Parameter]:
    hints = get_type_hints(group, include_extras=True)
    for field in fields(group):
        yield Parameter(field.name, Parameter.KEYWORD_ONLY, default=_default(field), annotation=hints[field.name])


def _default(field: Field[Any]) -> Any:
    return Parameter.empty if field.default is MISSING else field.default


def _panel(parameter: Parameter) -> int:
    """The place of its panel of the help; first what is in none."""
    panels = [information.rich_help_panel for information in parameter.annotation.__metadata__]
    return PANELS.index(panels[0]) if panels[0] in PANELS else -1
