"""Option types, and the options of `serve`, which are made from the fields of Settings."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable
from pathlib import Path
from types import UnionType
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

import click

from mockserver.settings import Settings, environment_name

_Command = TypeVar("_Command", bound=Callable[..., Any])
HELP = {"help_option_names": ["-h", "--help"]}


class Text(click.ParamType):  # type: ignore[type-arg, unused-ignore]  # generic from click 8.2 on
    """Text that is not blank: an empty id, URL or name often comes from a shell variable that is not set."""

    name = "text"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The text as it was given; fails for a blank one."""
        if not str(value).strip():
            self.fail("it is empty; give a value, or check the shell variable that it comes from", param, ctx)
        return str(value)


class Moment(Text):
    """A time or a span. One that goes back begins with a minus sign, so `-1d` is a value and `--other` a mistake."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The text as it was given; the mock reads it."""
        if re.match(r"-(?!\d)", str(value)):
            raise click.NoSuchOption(str(value), ctx=ctx)
        return super().convert(value, param, ctx)


class _Parsed(click.ParamType):  # type: ignore[type-arg, unused-ignore]
    """What a function reads out of a text."""

    def __init__(self, name: str, parse: Callable[[str], Any]) -> None:
        self.name, self._parse = name, parse

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if not isinstance(value, str):
            return value
        try:
            return self._parse(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


class Command(click.Command):
    """A command that refuses empty text, in every argument and option that takes text."""

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        for param in self.params:
            if param.type is click.STRING:
                param.type = Text()


class Group(click.Group):
    """A group whose commands refuse empty text. With `usual`, that command runs when none is named."""

    command_class = Command
    group_class = type

    def __init__(self, *given: Any, usual: str | None = None, **named: Any) -> None:
        named.setdefault("context_settings", HELP)
        super().__init__(*given, **named)
        self._usual = usual

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """The words given, with the usual command in front where none is named."""
        if self._usual and (not args or (args[0].startswith("-") and args[0] not in ("-h", "--help"))):
            args = [self._usual, *args]
        return super().parse_args(ctx, args)


def from_settings(command: _Command) -> _Command:
    """Gives a command an option for every field of Settings, in their order.

    A field `max_body: int = 10` is the option --max-body with the variable ATTENDEE_MOCK_MAX_BODY, a bool is a flag, a
    Literal a choice, and a tuple an option that may be repeated.
    """
    hints = get_type_hints(Settings)
    for knob in reversed(dataclasses.fields(Settings)):
        command = _option(knob, hints[knob.name])(command)
    return command


def _option(knob: dataclasses.Field[Any], hint: Any) -> Callable[[_Command], _Command]:
    names = [f"--{knob.name.replace('_', '-')}", knob.name]
    rules = knob.metadata
    given: dict[str, Any] = {"help": rules["meaning"], "envvar": environment_name(knob.name), "show_envvar": True}
    if hint is bool:
        return click.option(*names, is_flag=True, default=knob.default, **given)
    many = get_origin(hint) is tuple
    kind = _kind(_inner(hint), rules, knob.name)
    shown: str | bool = rules["shown_default"] or bool(knob.default)
    default = knob.default
    if rules["parse"] is not None and default is not None:
        default = default if many else str(default)
    return click.option(*names, type=kind, default=default, multiple=many, show_default=shown, **given)


def _inner(hint: Any) -> Any:
    """The type of one value: of `X | None` and `tuple[X, ...]` it is X."""
    if get_origin(hint) not in (Union, UnionType, tuple):
        return hint
    inner = [one for one in get_args(hint) if one not in (type(None), ...)]
    return _inner(inner[0]) if inner else hint


def _kind(hint: Any, rules: Any, name: str) -> Any:
    if rules["parse"] is not None:
        return _Parsed(name.rpartition("_")[2], rules["parse"])
    if get_origin(hint) is Literal:
        return click.Choice(get_args(hint), case_sensitive=False)
    if hint is Path:
        return click.Path(path_type=Path)
    if hint is int:
        return click.INT if rules["least"] is None else click.IntRange(rules["least"])
    if hint is float:
        return click.FLOAT if rules["least"] is None else click.FloatRange(rules["least"])
    if hint is str:
        return Text()
    raise TypeError(f"no option can be made for the setting {name}: {hint}")
