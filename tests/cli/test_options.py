"""The options of `serve` follow from the fields of Settings; names of options."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any, Literal, get_type_hints

import click
import pytest
from click.testing import CliRunner

from mockserver.cli import options
from mockserver.cli.check import check
from mockserver.cli.serve import serve
from mockserver.settings import Rate, Settings, _knob, environment_name, parse_rate, parse_token


@dataclasses.dataclass(frozen=True, kw_only=True)
class Every:
    """A setting of every type that an option can be made for."""

    flag: bool = _knob(False, "a flag")
    count: int = _knob(3, "a number", least=1)
    any_count: int = _knob(3, "any number")
    most: int | None = _knob(None, "a number or none")
    share: float = _knob(0.5, "a share", least=0)
    name: str | None = _knob(None, "a text")
    file: Path | None = _knob(None, "a file")
    mode: Literal["on", "off"] = _knob("on", "a choice")
    rate: Rate = _knob(Rate(1, 60), "a rate", parse=parse_rate)
    secret: str | None = _knob(None, "a token", parse=parse_token, secret=True)
    origins: tuple[str, ...] = _knob((), "some texts")
    rates: tuple[Rate, ...] = _knob((), "some rates", parse=parse_rate)


def settings_of(monkeypatch: pytest.MonkeyPatch, *arguments: str, **environment: str) -> Any:
    monkeypatch.setattr(options, "Settings", Every)
    made: list[Every] = []

    @click.command(cls=options.Command)
    @options.from_settings
    def command(**given: Any) -> None:
        made.append(Every(**given))

    done = CliRunner().invoke(command, list(arguments), env=environment)
    return made[0] if made else done.output


def test_without_options_the_settings_are_their_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    assert settings_of(monkeypatch) == Every()


def test_every_type_of_setting_is_read_from_an_option(monkeypatch: pytest.MonkeyPatch) -> None:
    given = "--flag --count 5 --any-count -2 --most 7 --share 0.25 --name n --file f --mode off --rate 5/h"
    more = "--secret long-enough --origins a --origins b --rates 1/s --rates 2/s"
    assert settings_of(monkeypatch, *given.split(), *more.split()) == Every(
        flag=True,
        count=5,
        any_count=-2,
        most=7,
        share=0.25,
        name="n",
        file=Path("f"),
        mode="off",
        rate=Rate(5, 3600),
        secret="long-enough",
        origins=("a", "b"),
        rates=(Rate(1, 1), Rate(2, 1)),
    )


def test_every_setting_is_read_from_its_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    given = {"ATTENDEE_MOCK_ANY_COUNT": "9", "ATTENDEE_MOCK_FLAG": "1", "ATTENDEE_MOCK_ORIGINS": "a b"}
    assert settings_of(monkeypatch, **given) == Every(any_count=9, flag=True, origins=("a", "b"))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--count", "0"), "--count"),
        (("--share", "-1"), "--share"),
        (("--mode", "up"), "--mode"),
        (("--rate", "many"), "3000/min"),
        (("--name", " "), "it is empty"),
        (("--secret", "short"), "8 to 200"),
    ],
)
def test_a_value_that_breaks_the_rule_of_its_setting_is_refused(
    monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, str], said: str
) -> None:
    assert said in settings_of(monkeypatch, *arguments)


def test_a_type_that_no_option_has_is_an_error_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    @dataclasses.dataclass(frozen=True)
    class Odd:
        table: dict[str, str] = _knob(None, "a table")

    monkeypatch.setattr(options, "Settings", Odd)
    with pytest.raises(TypeError, match="table"):
        options.from_settings(lambda: None)


def test_serve_has_an_option_for_every_setting_with_its_default() -> None:
    made = {option.name: option for option in serve.params if isinstance(option, click.Option)}
    for knob in dataclasses.fields(Settings):
        assert made[knob.name].envvar == environment_name(knob.name)
        assert made[knob.name].help == knob.metadata["meaning"]
    assert get_type_hints(Settings).keys() <= made.keys()


def test_the_random_seed_of_check_has_its_old_name_too() -> None:
    (option,) = (param for param in check.params if param.name == "seed")
    assert option.opts == ["--random-seed", "--seed"]
