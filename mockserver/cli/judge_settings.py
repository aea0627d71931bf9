"""Settings of the judge's commands in attendee-mock.toml, or in the table [tool.attendee-mock] of pyproject.toml."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final, NamedTuple

import click

from mockserver.cli.options import Command

FILE: Final = "attendee-mock.toml"
TABLE: Final = "tool.attendee-mock"
_SECRET: Final = {
    "token": "ATTENDEE_API_KEY",
    "other-token": "ATTENDEE_OTHER_API_KEY",
    "disabled-token": "ATTENDEE_DISABLED_API_KEY",
}


class Settings(NamedTuple):
    """What a file says, by names of options without the dashes."""

    path: Path
    values: dict[str, Any]

    @property
    def where(self) -> str:
        """The file, and the table in it, as errors name them."""
        return f"{self.path} [{TABLE}]" if self.path.name == "pyproject.toml" else str(self.path)


class JudgeCommand(Command):
    """A command that takes values from the settings; the command line and the environment go before."""

    known: frozenset[str] = frozenset()
    """The names that a file may have: those of all commands that read it."""

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        """The context, with the settings as defaults. Raises ClickException for a wrong file."""
        if not {"-h", "--help"} & set(args):
            extra = {**extra, "default_map": self._defaults(args)}
        return super().make_context(info_name, args, parent, **extra)

    def _defaults(self, args: list[str]) -> dict[str, Any]:
        named = _named(args)
        settings = read_settings(named) if named is not None else found_settings(Path.cwd())
        if settings is None:
            return {}
        defaults: dict[str, Any] = {}
        ours = dict(_names(self.params))
        for name, value in settings.values.items():
            _check_name(settings, name, self.known or frozenset(ours))
            if name in ours:
                param, inverted = ours[name]
                defaults[param.name or name] = _converted(settings, name, value, param, inverted=inverted)
        return defaults


def config_option(command: Any) -> Any:
    """The option that names the file; JudgeCommand reads it before the others."""
    return click.option(
        "--config",
        type=click.Path(path_type=Path, dir_okay=False),
        expose_value=False,
        help=f"the file of settings [default: {FILE}, or [{TABLE}] of pyproject.toml, here or in a folder above]",
    )(command)


def share_names(*commands: click.Command) -> None:
    """Lets each command accept what is a setting of another: one file serves all of them."""
    names = frozenset(name for command in commands for name, _ in _names(command.params))
    for command in commands:
        if isinstance(command, JudgeCommand):
            command.known = names


def found_settings(folder: Path) -> Settings | None:
    """The settings in a folder, or in the nearest one above that has any. Raises ClickException."""
    for place in (folder, *folder.parents):
        for path in (place / FILE, place / "pyproject.toml"):
            if path.is_file():
                settings = read_settings(path)
                if settings.values or path.name == FILE:
                    return settings
    return None


def read_settings(path: Path) -> Settings:
    """The settings of a file. Raises ClickException for one that cannot be read, or is no TOML."""
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise click.ClickException(f"{path}: cannot be read ({error.strerror}); name another with --config") from error
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise click.ClickException(f"{path}: is not TOML: {error}; correct this line") from error
    if path.name == "pyproject.toml":
        tools = document.get("tool", {})
        document = tools.get("attendee-mock", {}) if isinstance(tools, dict) else {}
    if not isinstance(document, dict):
        raise click.ClickException(f"{path}: {TABLE} is not a table; write [{TABLE}]")
    return Settings(path, document)


def _named(args: list[str]) -> Path | None:
    """The value of --config in a command line."""
    for index, word in enumerate(args):
        if word == "--":
            return None
        if word == "--config" and index + 1 < len(args):
            return Path(args[index + 1])
        if word.startswith("--config="):
            return Path(word.partition("=")[2])
    return None


def _names(params: list[click.Parameter]) -> Iterator[tuple[str, tuple[click.Parameter, bool]]]:
    """The settings of a command; with True for the other name of a switch, such as --write of --read-only."""
    for param in params:
        for text in param.opts:
            name = text.lstrip("-")
            if len(name) > 1 and name != "config" and (text.startswith("--") or isinstance(param, click.Argument)):
                yield name, (param, False)
        for text in param.secondary_opts:
            yield text.lstrip("-"), (param, True)


def _check_name(settings: Settings, name: str, known: frozenset[str]) -> None:
    if name in _SECRET:
        raise click.ClickException(f"{settings.where}: {name} is a secret; remove it, and set {_SECRET[name]}")
    if name not in known:
        close = get_close_matches(name, known - _SECRET.keys(), n=1)
        fix = f"write {close[0]}" if close else f"the settings are {', '.join(sorted(known - _SECRET.keys()))}"
        raise click.ClickException(f"{settings.where}: there is no setting {name!r}; {fix}")


def _converted(settings: Settings, name: str, value: Any, param: click.Parameter, *, inverted: bool) -> Any:
    """A value as the command takes it."""
    where = f"{settings.where}: {name}"
    if isinstance(param, click.Option) and param.is_flag:
        if not isinstance(value, bool):
            raise click.ClickException(f"{where} must be true or false, not {value!r}")
        return value is not inverted
    if param.multiple:
        items = value if isinstance(value, list) else [value]
        return [_one(settings, where, item, param) for item in items]
    return _one(settings, where, value, param)


def _one(settings: Settings, where: str, value: Any, param: click.Parameter) -> Any:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise click.ClickException(f"{where} must be a text or a number, not {value!r}")
    try:
        found = param.type.convert(str(value), param, None)
    except click.BadParameter as error:
        raise click.ClickException(f"{where}: {error.message.rstrip('.')}") from error
    # A path in a file means the same wherever the command runs.
    return settings.path.parent / found if isinstance(found, Path) else found
