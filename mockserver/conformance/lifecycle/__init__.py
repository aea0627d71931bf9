"""Journeys: calendars made, changed and deleted in many orders, and held against a model of what they should be."""

from __future__ import annotations

from mockserver.conformance.lifecycle import machine, opening
from mockserver.conformance.lifecycle.rules import RULES
from mockserver.conformance.lifecycle.stage import Stage
from mockserver.conformance.run import Run

__all__ = ["RULES", "run"]


def run(run: Run) -> None:
    """Each step once as it is written down, then steps as they are drawn, until the POSTs or the time are used up."""
    if not run.target.writes:
        for rule in RULES:
            run.findings.unobservable[rule.id] = "the run may not write"
        return
    stage = Stage(run)
    opening.play(stage)
    machine.explore(run)
    for rule in RULES:
        if rule.id in run.findings.exercised:
            run.findings.unobservable.pop(rule.id, None)
        else:
            run.findings.unobservable.setdefault(rule.id, "no step of the run came to it")
