"""The web application that receives the webhooks."""

import base64
import hmac
import json
import os
from typing import Any

from flask import Flask, Response, request

from notetaker.meetings import Meetings


def create_app(meetings: Meetings) -> Flask:
    """An application with one route; the calendars to look at are in `app.config["TO_DO"]`."""
    app = Flask(__name__)
    app.config["TO_DO"] = to_do = []
    seen: set[str] = set()

    @app.post("/webhooks/attendee")
    def receive() -> Response:
        content = json.loads(request.get_data())
        if not is_genuine(content, request.headers.get("X-Webhook-Signature", "")):
            return Response(status=401)
        if content["idempotency_key"] not in seen and "calendar_id" in content:
            seen.add(content["idempotency_key"])
            to_do.append(content["calendar_id"])
        return Response(status=204)

    return app


def work(app: Flask, meetings: Meetings) -> None:
    """Does what the webhooks asked for; a background job in production."""
    to_do = app.config["TO_DO"]
    while to_do:
        meetings.refresh(to_do.pop(0))


def is_genuine(content: Any, signature: str) -> bool:
    """Whether the service has signed the content with our secret."""
    secret = base64.b64decode(os.environ["ATTENDEE_WEBHOOK_SECRET"])
    text = json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    digest = base64.b64encode(hmac.digest(secret, text.encode(), "sha256")).decode()
    return hmac.compare_digest(digest, signature)
