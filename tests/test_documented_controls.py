"""Every command of the pages on webhooks, simulation, faults and the journal does what it says."""

from __future__ import annotations

import json
import re
import shlex
from typing import Any

import pytest

from mockserver.app import Mock
from tests.clients import in_process
from tests.pages import blocks
from tests.replayer import Send

PAGES = [f"docs/{name}.md" for name in ("webhooks", "simulation", "faults", "journal")]
RUN = [block for page in PAGES for block in blocks(page, "sh")]
"""Every block whose commands the test below runs."""
BASE = "http://127.0.0.1:8000"
PLACEHOLDERS = {"id": "WEBHOOK_ID", "deliveries": "DELIVERY_KEY", "requests": "EXCHANGE_ID"}


def commands(page: str) -> list[str]:
    """The curl lines of a page in their order."""
    lines = [line for block in RUN if block.page == page for line in re.split(r"\n(?=curl )", block.text.strip())]
    assert all(line.startswith("curl ") for line in lines)
    return lines


def run(send: Send, command: str) -> Any:
    """The answer to a curl line, which has to be a 2xx."""
    method, headers, body, url = "GET", {}, None, ""
    words = iter(shlex.split(command.replace("\\\n", " "))[1:])
    for word in words:
        if word == "-X":
            method = next(words)
        elif word == "-H":
            name, _, value = next(words).partition(": ")
            headers[name] = value
        elif word == "-d":
            body = next(words).encode()
        else:
            url = word
    assert url.startswith(f"{BASE}/"), command
    reply = send(method, url.removeprefix(BASE), headers, body)
    assert 200 <= reply.status < 300, (command, reply.status, reply.body)
    return json.loads(reply.body)


def learn(known: dict[str, str], command: str, answer: Any) -> None:
    """Keeps what later commands of the page name in capitals."""
    if "-X POST" in command and "/subscriptions" in command:
        known["WEBHOOK_ID"] = answer["id"]
    for name, key in (("deliveries", "key"), ("requests", "id")):
        if isinstance(answer.get(name), list) and answer[name]:
            known[PLACEHOLDERS[name]] = str(answer[name][-1][key])


@pytest.mark.parametrize("page", PAGES)
def test_every_command_of_a_page_is_taken(page: str) -> None:
    send, known = in_process(Mock()), dict[str, str]()
    lines = commands(page)
    assert lines
    for line in lines:
        for name, value in known.items():
            line = line.replace(name, value)
        learn(known, line, run(send, line))
