"""A file of known findings tells new from known, and says where it is wrong."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from mockserver.conformance.baseline import Entry, KnownError, add_known, read_known, remove_known, sort_out
from mockserver.conformance.registry import all_rules
from mockserver.conformance.rules import FORMER_IDS
from mockserver.conformance.runner import is_chosen
from tests.conformance.fakes import crash, report

TODAY = date(2026, 11, 21)
RULES = ["no-server-error", "vary"]


def written(folder: Path, text: str) -> Path:
    path = folder / "known.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_an_entry_is_read_with_its_line(tmp_path: Path) -> None:
    text = "# ours\n- rule: vary\n  operation: getCalendar\n  reason: a proxy\n  expires: 2027-01-31\n  ticket: 42\n"
    assert read_known(written(tmp_path, text), RULES) == [
        Entry("vary", "getCalendar", "a proxy", None, date(2027, 1, 31), "42", 2)
    ]


def test_an_empty_file_knows_nothing(tmp_path: Path) -> None:
    assert read_known(written(tmp_path, "# nothing yet\n"), RULES) == []


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("rule: vary\n", ":1: must be a list"),
        ("- vary\n", ":1: an entry must be an object"),
        ("- rule: vary\n  reason: x\n", ":1: the entry has no operation; add `operation: …`"),
        ("- rule: vary\n  operation: x\n  reason: x\n  until: x\n", ":4: there is no 'until'"),
        ("- rule: very\n  operation: x\n  reason: x\n", ":1: there is no rule 'very'; `attendee-mock rules`"),
        ("- rule: vary\n  operation: x\n  reason: x\n  expires: soon\n", ":4: expires must be a date"),
        ("- rule: [\n", "not YAML"),
    ],
)
def test_a_mistake_is_told_with_line_and_remedy(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(KnownError) as error:
        read_known(written(tmp_path, text), RULES)
    assert told in str(error.value)


def test_known_findings_are_not_new() -> None:
    entry = Entry("no-server-error", "updateCalendar", "known", "metadata")
    told = sort_out([crash()], [entry], TODAY)
    assert told.new == []
    assert [found for _, found in told.known] == [entry]


def test_an_entry_without_a_field_stands_for_all_fields() -> None:
    assert sort_out([crash()], [Entry("no-server-error", "updateCalendar", "known")], TODAY).new == []


def test_expired_entries_count_no_more() -> None:
    entry = Entry("no-server-error", "updateCalendar", "known", expires=date(2026, 11, 20))
    told = sort_out([crash()], [entry], TODAY)
    assert len(told.new) == 1
    assert told.expired == [entry]


def test_an_entry_counts_on_its_last_day() -> None:
    assert not Entry("vary", "getCalendar", "known", expires=TODAY).has_expired(TODAY)


def test_entries_that_nothing_fits_are_told() -> None:
    entry = Entry("vary", "getCalendar", "known")
    assert sort_out([crash()], [entry], TODAY).unseen == [entry]


@pytest.mark.parametrize(("former", "now"), FORMER_IDS.items())
def test_a_rule_is_known_by_the_id_it_had_before(former: str, now: str, tmp_path: Path) -> None:
    file = tmp_path / "known.yaml"
    file.write_text(f"- {{rule: {former}, operation: listCalendars, reason: why}}\n", encoding="utf-8")
    rules = [rule.id for rule in all_rules()]
    assert [entry.rule for entry in read_known(file, rules)] == [now]
    rule = next(rule for rule in all_rules() if rule.id == now)
    assert is_chosen(rule, [former], [])
    assert not is_chosen(rule, [], [former])


EXPIRED = "- rule: no-server-error\n  operation: updateCalendar\n  reason: old\n  expires: 2026-01-01\n"
OURS = """\
# Agreed with the team on Monday.
- rule: vary  # a proxy
  operation: getCalendar
  reason: >
    a proxy
    that we cannot change

# The next one is about to go.
- rule: vary
  operation: listCalendars
  reason: another
"""


def test_new_findings_are_added_below_what_is_there(tmp_path: Path) -> None:
    path = written(tmp_path, OURS)
    (added,) = add_known(path, [crash()], today=TODAY, expires=date(2027, 2, 19))
    assert path.read_text("utf-8").startswith(OURS)
    read = read_known(path, RULES)
    assert len(read) == 3
    assert read[2]._replace(line=0) == added
    assert added.covers(crash())
    assert added.expires == date(2027, 2, 19)
    assert "found by attendee-mock check on 2026-11-21" in added.reason


@pytest.mark.parametrize("text", ["", "# nothing yet", "[]\n", "  - rule: vary\n    operation: x\n    reason: y"])
def test_findings_are_added_to_files_of_any_form(text: str, tmp_path: Path) -> None:
    path = written(tmp_path, text)
    if text == "[]\n":
        path.unlink()
    add_known(path, [crash()], today=TODAY, expires=None)
    assert [entry.rule for entry in read_known(path, RULES)][-1] == "no-server-error"


def test_an_expired_entry_of_the_same_finding_is_replaced(tmp_path: Path) -> None:
    path = written(tmp_path, EXPIRED + OURS)
    add_known(path, [crash()], today=TODAY, expires=None)
    assert [entry.reason.split()[0] for entry in read_known(path, RULES)] == ["a", "another", "found"]


def test_entries_are_removed_and_comments_stay(tmp_path: Path) -> None:
    path = written(tmp_path, OURS)
    remove_known(path, read_known(path, RULES)[:1])
    text = path.read_text("utf-8")
    assert text.startswith("# Agreed with the team on Monday.\n")
    assert "# The next one is about to go.\n- rule: vary\n  operation: listCalendars" in text
    assert "that we cannot change" not in text
    remove_known(path, read_known(path, RULES))
    assert read_known(path, RULES) == []


def test_a_list_in_brackets_cannot_be_changed(tmp_path: Path) -> None:
    path = written(tmp_path, "[{rule: vary, operation: x, reason: y}]\n")
    assert len(read_known(path, RULES)) == 1
    with pytest.raises(KnownError, match="is a list in brackets; write each entry on lines of its own"):
        add_known(path, [crash()], today=TODAY, expires=None)


def test_only_entries_that_the_run_can_judge_are_removable() -> None:
    vary, other = Entry("vary", "getCalendar", "known"), Entry("race-walk", "getCalendar", "not tested")
    expired = Entry("vary", "x", "old", expires=date(2026, 1, 1))
    matched = Entry("no-server-error", "updateCalendar", "old", expires=date(2026, 1, 1))
    assert report(unseen=[vary, other], expired=[expired, matched]).removable == [vary, expired]
    assert report(unseen=[vary], stopped="the time budget ran out").removable == []
    assert report(unseen=[vary], interrupted=True).removable == []


def test_what_was_added_is_known() -> None:
    told = report()
    told.accept([Entry("no-server-error", "updateCalendar", "known")])
    assert (told.findings, len(told.known)) == ([], 1)
