"""Small documents to compare, and what comparing them finds."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import yaml

from mockserver.drift.document import Document
from mockserver.drift.run import Report, Subjects, drift

FOLDER = Path(__file__).parent
TODAY = date(2026, 11, 30)


def data(name: str) -> Any:
    """What a YAML file of this folder has."""
    return yaml.safe_load((FOLDER / name).read_text("utf-8"))


def document(
    schema: Any, where: str, *, version: str = "3.0.3", components: dict[str, Any] | None = None, name: str = "doc.yaml"
) -> Document:
    """A document of one operation whose request or response has a body of this schema."""
    content = {"content": {"application/json": {"schema": schema}}}
    operation: dict[str, Any] = {"operationId": "body", "responses": {"200": {"description": ""}}}
    if where == "request":
        operation["requestBody"] = {"required": True, **content}
    else:
        operation["responses"]["200"].update(content)
    return of_operation(operation, version=version, components=components, name=name)


def of_operation(
    operation: dict[str, Any],
    *,
    path: str = "/books",
    method: str = "post",
    version: str = "3.0.3",
    components: dict[str, Any] | None = None,
    name: str = "doc.yaml",
    **more: Any,
) -> Document:
    """A document of one operation."""
    data = {
        "openapi": version,
        "info": {"title": "Books", "version": "1"},
        "paths": {path: {method: operation}},
        "components": {"schemas": components or {}},
        **more,
    }
    text = yaml.safe_dump(data, sort_keys=False)
    return Document(name, data, lambda: yaml.compose(text, yaml.SafeLoader))


def compared(published: Document, ours: Document) -> Report:
    """The report of a published document and a contract of ours."""
    return drift(Subjects(published), [], TODAY, contract=ours)


def levels(report: Report) -> dict[str, str]:
    """The ids found with their levels; labels of bodies without a component are shortened to `body`."""
    short: dict[str, str] = {
        one.id.replace("body 200", "body").replace("body request", "body"): one.level for one in report.new
    }
    assert len(short) == len(report.new)
    return short
