"""Checks deliveries against contracts/webhooks.yaml: body, headers and their order, signature."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any

from jsonschema_rs import Draft202012Validator

from mockserver.contracts import WEBHOOKS, load_contract
from mockserver.delivery.payload import Webhook

SIGNATURE = "X-Webhook-Signature"


class WebhookContract:
    """The contract of webhooks, compiled when the first delivery is checked."""

    @cached_property
    def document(self) -> dict[str, Any]:
        """The contract as it is written."""
        return load_contract(WEBHOOKS)

    @cached_property
    def bodies(self) -> dict[str, Draft202012Validator]:
        """The validator of each trigger's body."""
        return {
            trigger: self.validator(self._resolve(item["post"]["requestBody"])["content"]["application/json"]["schema"])
            for trigger, item in self.document["webhooks"].items()
        }

    @cached_property
    def headers(self) -> dict[str, dict[str, Draft202012Validator]]:
        """The validators of each trigger's header parameters, all of which are required."""
        return {
            trigger: {
                parameter["name"]: self.validator(parameter["schema"])
                for parameter in map(self._resolve, item["post"]["parameters"])
            }
            for trigger, item in self.document["webhooks"].items()
        }

    def validator(self, schema: Mapping[str, Any]) -> Draft202012Validator:
        """A validator of one of the contract's schemas."""
        whole = {"components": self.document["components"], "allOf": [schema]}
        return Draft202012Validator(whole, validate_formats=True)

    def problems(self, webhook: Webhook, secret: bytes, fault: str | None = None) -> Iterator[str]:
        """What a delivery has that the contract does not allow, a sentence each.

        `fault` is the fault of the attempt: `unsigned` and `old secret` change the signature, as they should.
        """
        sent, headers = json.loads(webhook.body), dict(webhook.headers)
        trigger = sent.get("trigger")
        if trigger not in self.bodies:
            yield f"there is no trigger {trigger}"
            return
        yield from (f"{error.message} in {webhook.body.decode()}" for error in self.bodies[trigger].iter_errors(sent))
        names = [name for name, _ in webhook.headers]
        order = [name for name in self.document["x-header-order"] if name in {*names}]
        if names != order:
            yield f"the headers are {names}"
        for name, validator in self.headers[trigger].items():
            if name == SIGNATURE and fault == "unsigned":
                continue
            if not validator.is_valid(headers.get(name)):
                yield f"{name} is {headers.get(name)}"
        if fault not in ("unsigned", "old secret") and headers.get(SIGNATURE) != signature(sent, secret):
            yield f"{SIGNATURE} is {headers.get(SIGNATURE)}, not made as the contract says"
        if headers.get("Content-Length") != str(len(webhook.body)):
            yield f"Content-Length is {headers.get('Content-Length')}"
        if headers.get("Content-Type") != "application/json":
            yield f"Content-Type is {headers.get('Content-Type')}"

    def _resolve(self, part: Mapping[str, Any]) -> Mapping[str, Any]:
        if "$ref" not in part:
            return part
        _, kind, name = part["$ref"].removeprefix("#/").split("/")
        found: Mapping[str, Any] = self.document["components"][kind][name]
        return found


def signature(content: Any, secret: bytes) -> str:
    """The signature that the contract describes, written without the mock's code."""
    text = json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    signed = text.encode("utf-8", "backslashreplace")
    return base64.b64encode(hmac.new(secret, signed, hashlib.sha256).digest()).decode()
