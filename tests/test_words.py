"""User-facing texts say who does what, in plain English: no phrase of the table below is in any of them."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import click
import pytest
import yaml

from mockserver.cli.main import cli
from mockserver.conformance.registry import all_rules
from mockserver.settings import knobs

ROOT = Path(__file__).parent.parent
PAGES = sorted(
    page
    for pattern in ("*.md", "docs/**/*.md", "fixtures/*.md", "examples/**/*.md", "benchmarks/README.md")
    for page in ROOT.glob(pattern)
    if page.name != "CHANGELOG.md"  # it quotes texts as they were
)
CONTRACTS = [ROOT / "openapi.yaml", *sorted((ROOT / "contracts").glob("*.yaml"))]
MODULES = sorted((ROOT / "mockserver").rglob("*.py"))

SAY_INSTEAD = {
    r"told": "who reports what, e.g. 'the error lists the missing fields'",
    r"\btells\b": "says, shows, lists or returns",
    r"made up": "invented, generated, or consists of",
    r"by (itself|themselves)": "automatically, on the service's schedule, or who does it",
    r"so many": "the number, e.g. 'the number of syncs that fail'",
    r"of the kind": "the kind itself",
    r"what there is\b|what is there\b": "the things themselves, e.g. 'the entries found so far'",
    r"put down for": "scheduled",
    r"that (it|they) (is|are) about|it was about\b": "about which ..., or name the thing",
    r"of which it is no part": "who does what, in the order in which it happens",
    r"should have been, and|as it should have been": "what happened, e.g. 'the time budget ran out'",
    r"looked round": "checked",
    r"stand(s|ing)? still|stood still": "is frozen",
    r"stands? on\b": "source",
    r"stands? for\b": "means, or matches",
    r"takes? the place of": "replaces",
    r"takes? (it|them|one) away|taken away": "remove, or delete",
    r"brings? about|brought about": "cause",
    r"under way": "in flight, or in progress",
    r"spoil(s|ed|t)?": "change, or damage",
    r"(is|are|was) (let in|met)\b": "who does what, e.g. 'faults apply after authentication'",
    r"(a|the) letter (to|from|that)|an eye (on|to)|\bkin\b|\bkindred\b|witness(es)?\b": "the technical noun",
    r"\bthe stage\b|\bon stage\b|\ba bench\b|the work ?bench": "the technical noun",
    r"\bworlds?\b": "project, state or process",
    r"(no|of|with|and) dice|rolls? (a )?dice": "random numbers",
    r"asked for by hand|in your hands|to hand\b": "on demand, or who does it",
    r"(has|have|had) (its|their) say": "who does what",
    r"without a trace": "deletes",
    r"(is|are) healed": "reconnected, or fixed",
}
"""A phrase that readers found hard, and what to write instead."""

NAMES = re.compile(r"bench-worlds|world\.yaml|world-\d")
"""A make target, a file and default project names: they are public, so they stay."""


class Text(NamedTuple):
    """A text that users read, and where it is."""

    place: str
    text: str


def hits(texts: Iterator[Text]) -> list[str]:
    """One line for each phrase in a text: its place, the phrase, and what to write instead."""
    found = []
    for place, text in texts:
        plain = NAMES.sub("", text)
        for phrase, better in SAY_INSTEAD.items():
            for match in re.finditer(rf"(?<![\w-]){phrase}(?![\w-])", plain, re.IGNORECASE):
                around = " ".join(plain[max(0, match.start() - 40) : match.end() + 40].split())
                found.append(f"{place}: {match[0]!r} in '... {around} ...'; write: {better}")
    return found


def paragraphs(page: Path) -> Iterator[Text]:
    """A Markdown page by paragraphs, so that a phrase may go over a line's end."""
    number = 1
    for block in re.split(r"(\n\s*\n)", page.read_text("utf-8")):
        if block.strip():
            yield Text(f"{page.relative_to(ROOT)}:{number}", " ".join(block.split()))
        number += block.count("\n")


def helps(command: click.Command, name: str) -> Iterator[Text]:
    """The help of a command, of its options, and of the commands below it."""
    yield Text(f"{name} --help", " ".join((command.help or "").split()))
    for param in command.params:
        yield Text(f"{name} {param.opts[0]}", str(getattr(param, "help", None) or ""))
    if isinstance(command, click.Group):
        for below in command.commands.values():
            yield from helps(below, f"{name} {below.name}")


def described(value: Any, place: str) -> Iterator[Text]:
    """Every summary and description of a contract."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if key in ("summary", "description") and isinstance(inner, str):
                yield Text(f"{place}/{key}", " ".join(inner.split()))
            else:
                yield from described(inner, f"{place}/{key}")
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from described(inner, f"{place}/{number}")


def literals(module: Path) -> Iterator[Text]:
    """Every text with a space in a module, without docstrings and programs: messages, reasons, reports, log lines."""
    tree = ast.parse(module.read_text("utf-8"))
    alone = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        is_text = isinstance(node, ast.Constant) and isinstance(node.value, str) and " " in node.value
        if is_text and id(node) not in alone:
            assert isinstance(node, ast.Constant)
            if "\ndef " in str(node.value):
                continue  # a program that a report writes: its names are not prose
            yield Text(f"{module.relative_to(ROOT)}:{node.lineno}", " ".join(str(node.value).split()))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_a_page_is_in_plain_english(page: Path) -> None:
    found = hits(paragraphs(page))
    assert not found, "\n".join(found)


def test_the_help_of_every_command_is_in_plain_english() -> None:
    texts = list(helps(cli, "attendee-mock"))
    assert len(texts) > 100
    found = hits(iter(texts))
    assert not found, "\n".join(found)


def test_the_help_of_make_is_in_plain_english() -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    targets = re.findall(r"^([a-z-]+):.*## (.*)$", makefile, re.MULTILINE)
    assert len(targets) > 15
    found = hits(Text(f"make {name}", text) for name, text in targets)
    assert not found, "\n".join(found)


def test_the_settings_are_in_plain_english() -> None:
    found = hits(Text(f"setting {name}", meaning) for name, meaning in knobs().items())
    assert not found, "\n".join(found)


def test_the_rules_of_the_judge_are_in_plain_english() -> None:
    found = hits(Text(f"rule {rule.id}", rule.sentence) for rule in all_rules())
    assert not found, "\n".join(found)


@pytest.mark.parametrize("contract", CONTRACTS, ids=lambda contract: contract.name)
def test_the_descriptions_of_a_contract_are_in_plain_english(contract: Path) -> None:
    document = yaml.safe_load(contract.read_text("utf-8"))
    texts = list(described(document, contract.name))
    assert len(texts) > 50
    found = hits(iter(texts))
    assert not found, "\n".join(found)


def test_messages_in_the_code_are_in_plain_english() -> None:
    found = [hit for module in MODULES for hit in hits(literals(module))]
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    "text",
    [
        "A required field that is missing is told; all of them at once.",
        "holds for so many\nsyncs",
        "no answer of this run was of the kind",
        "nothing syncs by itself",
        "scheduler Rehearsal: looked round",
        "the clock stands still",
    ],
)
def test_a_hard_phrase_is_found_with_its_place_and_a_better_one(text: str) -> None:
    (found, *_) = hits(iter([Text("page.md:1", text)]))
    assert found.startswith("page.md:1: ")
    assert "; write: " in found
