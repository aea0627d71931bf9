"""Imports Connexion, and builds its middleware stack from contracts."""

from __future__ import annotations

import json
import warnings
from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from functools import lru_cache
from typing import Any

import jsonschema_rs

with warnings.catch_warnings():
    # Connexion 3.3 imports jsonschema's old resolver. A user of the mock cannot change that.
    warnings.filterwarnings("ignore", r"jsonschema\.(RefResolver|exceptions\.RefResolutionError) is deprecated")
    # Connexion imports Starlette's test client, which wants httpx2 (decision 7). The mock never calls that client.
    warnings.filterwarnings("ignore", "Using `httpx` with `starlette.testclient`")
    from connexion import AsyncApp
    from connexion.middleware.abstract import SpecMiddleware
    from connexion.middleware.main import API
    from connexion.options import SwaggerUIOptions
    from connexion.resolver import Resolver
    from connexion.spec import InvalidSpecification, OpenAPISpecification

__all__ = [
    "Contract",
    "InvalidSpecification",
    "Resolver",
    "SpecMiddleware",
    "make_stack",
]

_NOWHERE = "/__nowhere__"
Middleware = Callable[..., Any]
App = Callable[
    [MutableMapping[str, Any], Callable[[], Awaitable[Any]], Callable[[Any], Awaitable[None]]], Awaitable[None]
]


class Contract(OpenAPISpecification):  # type: ignore[misc]
    """Connexion's reading of a contract, held against OpenAPI's own schema by a compiled validator."""

    def __init__(self, text: str) -> None:
        """`text` is JSON. Raises InvalidSpecification."""
        super().__init__(json.loads(text))
        self.text = text

    @classmethod
    def _validate_spec(cls, spec: dict[str, Any]) -> None:
        validator = jsonschema_rs.Draft4Validator(cls.openapi_schema)
        for error in validator.iter_errors(spec):
            where = "/".join(str(step) for step in error.instance_path)
            raise InvalidSpecification(f"{spec.get('info', {}).get('title')}: {where}: {error.message[:200]}")


_read = lru_cache(maxsize=8)(Contract)
"""Reading one takes longer than all the rest of making a mock; once read, it only tells."""


def make_stack(contracts: Sequence[str], middlewares: Sequence[Middleware], resolver: Resolver) -> App:
    """The outermost of the middlewares, each wrapped around the next, with every contract given to all that want it.

    The contracts are JSON texts.

    Connexion would build the stack at the first request; it is built now, so that a missing handler is an error at
    start. It shows no contract itself: that it can do with one only. Raises InvalidSpecification.
    """
    app = AsyncApp("mockserver", middlewares=list(middlewares), resolver=resolver)
    for contract in contracts:
        options = app.middleware.options.replace(swagger_ui_options=SwaggerUIOptions(serve_spec=False)).__dict__
        app.middleware.apis.append(API(_read(contract), base_path=_NOWHERE, **options))
    stack: App = app.middleware._build_middleware_stack()[0]
    return stack
