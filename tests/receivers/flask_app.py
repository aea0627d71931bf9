"""A receiver as the service's documentation describes one, in Flask."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json

from flask import Flask, Response, jsonify, request


def make_app(secret: str) -> Flask:
    """An app that takes deliveries signed with this base64 secret, and refuses all others with a 400."""
    app = Flask(__name__)

    @app.post("/webhook")
    def webhook() -> tuple[Response, int]:
        content = json.loads(request.get_data())
        text = json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
        digest = hmac.new(base64.b64decode(secret), text.encode("utf-8"), hashlib.sha256).digest()
        given = request.headers.get("X-Webhook-Signature", "")
        if not hmac.compare_digest(base64.b64encode(digest).decode(), given):
            return jsonify(error="invalid signature"), 400
        return jsonify(received=content["idempotency_key"]), 200

    return app
