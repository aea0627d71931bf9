"""Connexion, as far as it is used."""

from __future__ import annotations

import json

import pytest

from mockserver.connexion_stack import InvalidSpecification, Resolver, make_stack
from mockserver.contracts import load_contract


def test_a_contract_that_is_no_openapi_is_refused_with_the_place() -> None:
    contract = load_contract()
    contract["paths"]["/api/v1/calendars"]["get"]["responses"] = []
    with pytest.raises(InvalidSpecification, match="Attendee calendar API .*: paths//api/v1/calendars/get"):
        make_stack([json.dumps(contract)], [], Resolver())
