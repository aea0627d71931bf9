"""What is used of Connexion, imported here once, without the warnings that importing it emits."""

from __future__ import annotations

import warnings

with warnings.catch_warnings():
    # They are about what Connexion itself imports; a user of the mock can do nothing about them.
    warnings.simplefilter("ignore", DeprecationWarning)
    warnings.filterwarnings("ignore", message="Using `httpx` with `starlette.testclient`")
    from connexion import AsyncApp
    from connexion.middleware.abstract import SpecMiddleware
    from connexion.middleware.swagger_ui import SwaggerUIMiddleware
    from connexion.options import SwaggerUIOptions
    from connexion.resolver import Resolver
    from connexion.spec import Specification

__all__ = ["AsyncApp", "Resolver", "Specification", "SpecMiddleware", "SwaggerUIMiddleware", "SwaggerUIOptions"]
