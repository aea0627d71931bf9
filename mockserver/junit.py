"""Writes results of checks as JUnit XML, which CI servers read."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple
from xml.etree import ElementTree as xml

_UNWRITABLE = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class Case(NamedTuple):
    """One check and its result."""

    name: str
    about: str
    """What was checked, in a sentence."""
    failure: str = ""
    """What is wrong, in one line; empty where the check passed."""
    details: str = ""
    """More lines about the failure."""
    skipped: str = ""
    """Why the check did not run; empty where it ran."""


def junit_xml(suite: str, cases: Iterable[Case]) -> str:
    """A test suite of this name with a test case for each check."""
    listed = list(cases)
    counts = {
        "tests": len(listed),
        "failures": sum(bool(case.failure) for case in listed),
        "errors": 0,
        "skipped": sum(bool(case.skipped) for case in listed),
    }
    attributes = {name: str(count) for name, count in counts.items()}
    root = xml.Element("testsuites", {"name": f"attendee-mock {suite}", **attributes})
    element = xml.SubElement(root, "testsuite", {"name": suite, "time": "0", **attributes})
    for case in listed:
        _add(element, suite, case)
    xml.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + xml.tostring(root, encoding="unicode") + "\n"


def _add(suite: xml.Element, name: str, case: Case) -> None:
    element = xml.SubElement(suite, "testcase", name=case.name, classname=name, time="0")
    if case.skipped:
        xml.SubElement(element, "skipped", message=_clean(case.skipped))
    if case.failure:
        failure = xml.SubElement(element, "failure", message=_clean(case.failure), type=case.name)
        failure.text = _clean(case.details)
    xml.SubElement(element, "system-out").text = _clean(case.about)


def _clean(text: str) -> str:
    return _UNWRITABLE.sub("\ufffd", text)
