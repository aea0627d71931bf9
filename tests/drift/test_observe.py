"""A recording is held against documents: responses always, requests when the service accepted them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from mockserver.drift.document import SubjectError
from mockserver.drift.har import recorded
from mockserver.drift.run import Report, Subjects, drift
from tests.drift.documents import TODAY, of_operation

FILE = Path("traffic.har")
BOOK = {
    "type": "object",
    "required": ["title"],
    "properties": {"title": {"type": "string"}, "pages": {"type": "integer", "maximum": 999}},
    "additionalProperties": False,
}
OURS = of_operation(
    {
        "operationId": "addBook",
        "parameters": [
            {"name": "limit", "in": "query", "schema": {"type": "integer", "maximum": 50}},
            {"name": "X-Trace", "in": "header", "required": True, "schema": {"type": "string"}},
        ],
        "requestBody": {"required": True, "content": {"application/json": {"schema": BOOK}}},
        "responses": {
            "200": {
                "description": "",
                "headers": {"Vary": {"required": True, "schema": {"type": "string"}}},
                "content": {"application/json": {"schema": BOOK}},
            },
            "400": {"description": "", "content": {"application/json": {"schema": {"type": "object"}}}},
        },
    },
    name="ours.yaml",
)
GOOD = {"title": "Emma"}


def entry(
    *,
    sent: Any = GOOD,
    status: int = 200,
    answered: Any = GOOD,
    query: str = "",
    method: str = "POST",
    path: str = "/books",
    **more: Any,
) -> dict[str, Any]:
    """An entry of a HAR file; a text is a body as it is, anything else its JSON, None no body."""
    sent_text = sent if isinstance(sent, str) or sent is None else json.dumps(sent)
    text = answered if isinstance(answered, str) or answered is None else json.dumps(answered)
    headers = {"X-Trace": "1", "Content-Type": "application/json"} | more.get("sends", {})
    answers = {"Vary": "Accept", "Content-Type": "application/json"} | more.get("answers", {})
    request: dict[str, Any] = {
        "method": method,
        "url": f"https://books.example.com{path}{query}",
        "headers": [{"name": name, "value": value} for name, value in headers.items() if value],
        "bodySize": len(sent_text or ""),
    }
    if sent_text is not None:
        request["postData"] = {"mimeType": "application/json", "text": sent_text} | more.get("data", {})
    content = {"size": len(text or ""), "mimeType": "application/json"} | ({} if text is None else {"text": text})
    response = {
        "status": status,
        "headers": [{"name": name, "value": value} for name, value in answers.items() if value],
        "content": content | more.get("content", {}),
    }
    return {"request": request, "response": response}


def observed(*entries: dict[str, Any], published: Any = None) -> Report:
    exchanges = recorded(FILE, {"log": {"entries": list(entries)}})
    return drift(Subjects(published, FILE, exchanges), [], TODAY, contract=OURS)


def ids(report: Report) -> dict[str, str]:
    return {one.id: one.level for one in report.new}


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ({}, {}),
        ({"answered": {"title": None}}, {"response-null:addBook 200.title": "error"}),
        ({"answered": {"title": 1}}, {"response-type:addBook 200.title": "error"}),
        ({"answered": {}}, {"response-required:addBook 200.title": "error"}),
        ({"answered": GOOD | {"isbn": "1"}}, {"response-unexpected:addBook 200.isbn": "warning"}),
        ({"answered": GOOD | {"pages": 1000}}, {"response-range:addBook 200.pages": "warning"}),
        ({"answered": None}, {"body-missing:addBook 200": "error"}),
        ({"answers": {"Vary": ""}}, {"header-missing:Vary": "warning"}),
        ({"answers": {"Content-Type": "text/csv"}}, {"response-media:text/csv": "error"}),
        ({"status": 503}, {"status-undocumented:503": "warning"}),
        ({"sent": {"title": 1}}, {"accepted-type:addBook request.title": "info"}),
        ({"sent": GOOD | {"isbn": "1"}}, {"accepted-closed:addBook request": "info"}),
        ({"sent": None}, {"accepted-body:addBook request": "info"}),
        (
            {"sent": "title=Emma", "sends": {"Content-Type": "application/x-www-form-urlencoded"}},
            {"accepted-media:addBook request application/x-www-form-urlencoded": "info"},
        ),
        ({"query": "?limit=99"}, {"accepted-range:query.limit": "info"}),
        ({"query": "?limit=all"}, {"accepted-type:query.limit": "info"}),
        ({"sends": {"X-Trace": ""}}, {"parameter-needless:header.X-Trace": "warning"}),
    ],
)
def test_what_a_recording_shows_against_the_contract(given: dict[str, Any], found: dict[str, str]) -> None:
    assert ids(observed(entry(**given))) == found


@pytest.mark.parametrize(
    "given",
    [
        pytest.param({"sent": {"title": 1}, "status": 400, "answered": {}}, id="a refused request"),
        pytest.param({"query": "?limit=all", "status": 400, "answered": {}}, id="a refused parameter"),
        pytest.param({"path": "/authors", "status": 404}, id="another path"),
        pytest.param({"method": "OPTIONS", "answered": "{}"}, id="OPTIONS"),
        pytest.param({"method": "PUT", "status": 405, "answered": {}}, id="a method that no document has"),
        pytest.param({"status": 0, "answered": None}, id="no response"),
        pytest.param({"answered": '{"title": "Em', "content": {"comment": "only its beginning"}}, id="half a response"),
        pytest.param({"sent": '{"title": "Em', "data": {"comment": "only its beginning"}}, id="half a request"),
        pytest.param({"answered": None, "content": {"size": 100}}, id="a body that was not kept"),
        pytest.param({"answers": {"Content-Type": "text/html"}, "sends": {"Accept": "text/html"}}, id="HTML, as asked"),
        pytest.param({"query": "?color=red"}, id="an unknown parameter"),
    ],
)
def test_what_shows_nothing_about_the_contract(given: dict[str, Any]) -> None:
    assert not ids(observed(entry(**given)))


def test_a_body_in_base64_is_read() -> None:
    coded = entry(answered="eyJ0aXRsZSI6IG51bGx9", content={"encoding": "base64"})
    assert ids(observed(coded)) == {"response-null:addBook 200.title": "error"}


def test_what_is_seen_often_is_one_difference_with_the_first_exchange() -> None:
    (difference,) = observed(entry(), entry(answered={"title": None}), entry(answered={"title": None})).new
    assert (difference.seen.times, difference.seen.entry, difference.seen.text) == (2, 2, "null")
    assert difference.seen.request == "POST /books 200"


def test_a_refusal_confirms_what_only_the_contract_forbids() -> None:
    published = of_operation(
        {
            "operationId": "add",
            "requestBody": {"required": True, "content": {"application/json": {"schema": {"type": "object"}}}},
            "responses": {"200": {"description": "", "content": {"application/json": {}}}, "400": {"description": ""}},
        }
    )
    refused = entry(sent={"title": 1}, status=400, answered={"title": ["Not a text."]}, sends={"X-Trace": "1"})
    report = observed(refused, published=published)
    levels = ids(report)
    assert levels["request-type:addBook request.title"] == "warning"
    assert levels["body-undocumented:400"] == "warning"
    # Nothing in the recording shows that the title is required.
    assert levels["request-required:addBook request.title"] == "info"


def test_a_refusal_that_names_another_field_confirms_nothing() -> None:
    published = of_operation(
        {
            "operationId": "add",
            "requestBody": {"required": True, "content": {"application/json": {"schema": {"type": "object"}}}},
            "responses": {"200": {"description": "", "content": {"application/json": {}}}, "400": {"description": ""}},
        }
    )
    refused = entry(sent={"title": 1, "pages": 1000}, status=400, answered={"pages": ["Too many."]})
    levels = ids(observed(refused, published=published))
    assert levels["request-range:addBook request.pages"] == "warning"
    assert levels.get("request-type:addBook request.title", "info") == "info"


PUBLISHED_BODY = {"content": {"application/json": {"schema": BOOK}, "application/xml": {"schema": {"type": "string"}}}}
ANSWERS = {"200": {"description": "", "content": {"application/json": {}}}, "400": {"description": ""}}


def published(path: str = "/books", method: str = "post", **more: Any) -> Any:
    operation = {"operationId": "add", "requestBody": PUBLISHED_BODY, "responses": ANSWERS, **more}
    return of_operation(operation, path=path, method=method)


@pytest.mark.parametrize(
    ("document", "given", "id"),
    [
        (
            published(),
            {"sent": "<a/>", "sends": {"Content-Type": "application/xml"}, "status": 415},
            "request-media:addBook request application/xml",
        ),
        (published(), {"sent": None, "status": 400}, "request-body-required:addBook request"),
        (
            published(parameters=[{"name": "limit", "in": "query", "schema": {"type": "string"}}]),
            {"query": "?limit=many", "status": 400},
            "request-type:query.limit",
        ),
        (published("/books/"), {"path": "/books/", "status": 404}, "path-slash:/books"),
        (published(method="put"), {"method": "PUT", "status": 405}, "operation-refused:PUT /books"),
        (published(method="put"), {}, "operation-undocumented:POST /books"),
    ],
)
def test_a_recording_confirms_what_only_the_documents_show(document: Any, given: dict[str, Any], id: str) -> None:
    unseen = {one.id: one for one in observed(entry(path="/elsewhere"), published=document).new}
    assert unseen[id].is_unconfirmed
    seen = {one.id: one for one in observed(entry(**{"answered": {}, **given}), published=document).new}
    assert not seen[id].is_unconfirmed
    assert seen[id].seen.times == 1


def test_where_both_documents_are_wrong_there_is_one_difference() -> None:
    (difference,) = observed(entry(answered={"title": None}), published=OURS).new
    assert difference.wrong == {"published", "contract"}
    assert difference.seen.times == 1


def test_secrets_of_requests_are_not_shown() -> None:
    ours = of_operation(
        {
            "operationId": "logIn",
            "requestBody": {
                "content": {"application/json": {"schema": {"properties": {"api_token": {"type": "integer"}}}}}
            },
            "responses": {"200": {"description": ""}},
        }
    )
    exchanges = recorded(FILE, {"log": {"entries": [entry(sent={"api_token": "s3cr3t"}, answered=None)]}})
    (difference,) = drift(Subjects(None, FILE, exchanges), [], TODAY, contract=ours).new
    assert difference.seen.text == "a string of 6 characters"


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        ({"log": {}}, "log.entries must be a list"),
        ({"log": {"entries": []}}, "has no entries"),
        ({"log": {"entries": [{"request": {}}]}}, "entry 1 is not an entry of HAR 1.2: it has no 'response'"),
        ({"log": {"entries": [1]}}, "entry 1 is not an entry of HAR 1.2"),
    ],
)
def test_what_is_no_archive_is_refused(data: Any, problem: str) -> None:
    with pytest.raises(SubjectError) as refused:
        recorded(FILE, data)
    assert problem in str(refused.value)
    assert len(str(refused.value).splitlines()) == 1
