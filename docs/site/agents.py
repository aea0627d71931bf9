"""Writes llms.txt and AGENTS.md from the docs: `python docs/site/agents.py`, or with --check to compare only."""

from __future__ import annotations

import re
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
REPOSITORY = "https://github.com/OWNER/attendee-mockserver/blob/main/"
COMMANDS = ("run", "test", "test-long", "test-browser", "lint", "types", "fmt", "docs", "agents", "mutants")
"""The targets of make that a coding agent needs."""
MARK = "<!-- Written by `make agents` from the docs; edit those. -->"


def first_paragraph(page: Path) -> str:
    """The first sentence of a page's first paragraph, without links, on one line."""
    for block in page.read_text("utf-8").split("\n\n"):
        if block.strip() and not block.lstrip().startswith(("#", "<", "|", "```", "!", "- ")):
            text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", " ".join(block.split()))
            return re.split(r"(?<=[.:]) (?=[A-Z`])", text)[0].rstrip(":.")
    return ""


def linked(page: Path) -> list[tuple[str, list[tuple[str, Path]]]]:
    """The sections of a page, each with its links to other pages: title and file."""
    sections = []
    for part in re.split(r"^## ", page.read_text("utf-8"), flags=re.MULTILINE)[1:]:
        title, _, body = part.partition("\n")
        links = [
            (" ".join(text.split()), (page.parent / target).resolve())
            for text, target in re.findall(r"\[([^\]]+)\]\(([^)#]+)\)", body)
        ]
        sections.append((title, links))
    return sections


def llms() -> str:
    """llms.txt: what the project is, and where each page is, in the form of llmstxt.org."""
    readme = ROOT / "README.md"
    lines = ["# attendee-mockserver", "", f"> {first_paragraph(readme)}.", ""]
    lines += [
        "Start it with `uvx attendee-mockserver`, or with `make run` in a clone; it prints its URL, an API key and a",
        "webhook secret. In pytest, use the fixture `attendee_project`.",
        "",
    ]
    for title, links in linked(ROOT / "docs" / "index.md"):
        lines += [f"## {title}", ""]
        lines += [
            f"- [{text}]({REPOSITORY}{page.relative_to(ROOT).as_posix()}): {first_paragraph(page)}"
            for text, page in links
        ]
        lines.append("")
    contracts = [ROOT / "openapi.yaml", *sorted((ROOT / "contracts").glob("*.yaml"))]
    lines += ["## Contracts", ""]
    for contract in contracts:
        title = re.search(r"^  title: (.*)$", contract.read_text("utf-8"), re.MULTILINE)
        lines.append(
            f"- [{contract.name}]({REPOSITORY}{contract.relative_to(ROOT).as_posix()}): {title[1] if title else ''}"
        )
    return "\n".join(lines) + "\n"


def section(page: Path, start: str, end: str) -> str:
    """What stands in a page from one text up to another."""
    text = page.read_text("utf-8")
    return text[text.index(start) : text.index(end)].strip()


def agents() -> str:
    """AGENTS.md: what a coding agent has to know to change the project."""
    commands = re.findall(r"^([a-z-]+):.*?## (.*)$", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)
    shown = [f"- `make {name}`: {text}" for name, text in commands if name in COMMANDS]
    contributing, architecture = ROOT / "CONTRIBUTING.md", ROOT / "ARCHITECTURE.md"
    parts = [
        "# For coding agents",
        MARK,
        f"{first_paragraph(ROOT / 'README.md')}.",
        "## Commands",
        "\n".join(shown),
        "## Rules",
        section(contributing, "- **The service is right.**", "| to | go to |"),
        "## Where to change what",
        section(contributing, "| to | go to |", "House rules:"),
        "## House rules",
        section(contributing, "House rules:", "A change is done").removeprefix("House rules:").strip(),
        "## Packages",
        section(architecture, "This page says", "**http**"),
        "The whole of it is in [ARCHITECTURE.md](ARCHITECTURE.md).",
    ]
    return "\n\n".join(parts) + "\n"


FILES = {"llms.txt": llms, "AGENTS.md": agents}


def main() -> int:
    """Writes the files, or says which of them are out of date; gives the exit status."""
    outdated = [
        name
        for name, write in FILES.items()
        if not (ROOT / name).exists() or (ROOT / name).read_text("utf-8") != write()
    ]
    if "--check" in sys.argv[1:]:
        sys.stdout.write("".join(f"{name} is out of date: run make agents\n" for name in outdated))
        return int(bool(outdated))
    for name in outdated:
        (ROOT / name).write_text(FILES[name](), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
