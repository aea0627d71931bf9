"""Finds the route of a path among the paths of the contracts."""

from __future__ import annotations

from typing import Any

from mockserver.api.contract import Route, compile_route, missing_route, schemas_of
from mockserver.connexion_stack import Contract


class Router:
    """The routes of every contract by path: those without a parameter at once, the others by what comes before it."""

    def __init__(self) -> None:
        self._fixed: dict[str, Route] = {}
        self._open: list[tuple[str, Route]] = []
        self._not_imitated: dict[tuple[str, str], Route] = {}

    def add(self, specification: Contract, resolver: Any) -> None:
        """Compiles the operations of a contract; `resolver` is Connexion's, and finds their handlers.

        Raises ContractError for what the contract asks and this code does not implement.
        """
        schemas = schemas_of(specification.text)
        for template, item in specification.raw["paths"].items():

            def handler_of(method: str, template: str = template) -> Any:
                operation = specification.operation_cls.from_spec(
                    specification, path=template, method=method, resolver=resolver
                )
                return operation.function

            route = compile_route(schemas, template, item, handler_of)
            if route.prefix is None:
                self._fixed[template] = route
            else:
                self._open.append((route.prefix, route))
        for template, methods in specification.raw.get("x-not-imitated", {}).items():
            route = missing_route(template, methods)
            prefix, place, rest = template.partition("{object_id}")
            if not place:
                self._fixed[template] = route
            elif not rest:
                self._open.append((prefix, route))
            else:
                self._not_imitated[prefix, rest.removeprefix("/")] = route

    def find(self, path: str) -> tuple[Route | None, str]:
        """The route of a path, None where there is none, and its parameter, empty where it has none."""
        route = self._fixed.get(path)
        if route is not None:
            return route, ""
        for prefix, candidate in self._open:
            if path.startswith(prefix):
                object_id, slash, rest = path[len(prefix) :].partition("/")
                if object_id:
                    return (self._not_imitated.get((prefix, rest)) if slash else candidate), object_id
        return None, ""
