"""The forms of ISO 8601 in which the service reads the times of Google and Microsoft events."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mockserver.domain.iso_times import read_iso

NINE = datetime(2026, 12, 1, 9, tzinfo=UTC)
OFFSETS = st.integers(-23 * 60 - 59, 23 * 60 + 59).map(lambda minutes: timezone(timedelta(minutes=minutes)))


@pytest.mark.parametrize(
    "text",
    [
        "2026-12-01T09:00:00Z",
        "2026-12-01T09:00:00z",
        "2026-12-01 09:00:00Z",
        "2026-12-01t09:00Z",
        "2026-12-01_09Z",
        "20261201T090000Z",
        "20261201T0900Z",
        "2026-12-01T0900Z",
        "20261201T09:00:00Z",
        "2026-W49-2T09:00:00Z",
        "2026W492T09Z",
        "2026-335T09:00:00Z",
        "2026335T090000Z",
        "2026-12-01T09:00:00.0Z",
        "2026-12-01T09:00:00,000000000000Z",
        "2026-12-01T09:00:00.0000009Z",
        "2026-12-01T10:00:00+01:00",
        "2026-12-01T10:00:00+0100",
        "2026-12-01T10:00:00+01",
        "2026-12-01T10+01",
        "2026-11-30T09:01:00-23:59",
        "2026-12-01T09:00:00-00:00",
        "2026-12-02T08:59:00+23:59",
    ],
)
def test_a_time_with_an_offset_is_an_instant(text: str) -> None:
    assert read_iso(text) == NINE


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026", "2026-01-01T00:00:00"),
        ("2026-12", "2026-12-01T00:00:00"),
        ("2026-12-01", "2026-12-01T00:00:00"),
        ("2026-W49", "2026-11-30T00:00:00"),
        ("2026-W4", "2026-01-19T00:00:00"),
        ("2024-366", "2024-12-31T00:00:00"),
        ("2026-12-01T09:00:00", "2026-12-01T09:00:00"),
        ("2026-12-01T09:00:00.5", "2026-12-01T09:00:00.500000"),
        ("2026-12-01T09:00:00.1234567", "2026-12-01T09:00:00.123456"),
        ("2026-12-01T24", "2026-12-02T00:00:00"),
        ("2026-12-31T24:00:00", "2027-01-01T00:00:00"),
        ("2026-12-31T24:00:00.000", "2027-01-01T00:00:00"),
    ],
)
def test_a_time_without_an_offset_is_naive(text: str, moment: str) -> None:
    assert read_iso(text) == datetime.fromisoformat(moment)


@pytest.mark.parametrize(
    "text",
    [
        *("", "202", "2026-", "202612", "2026-1", "2026-13-01", "2026-02-30", "2026-12-1", "2026-1201"),
        *("2026-000", "2026-366", "2026-W00", "2026-W54", "2026-W49-0", "2026-W49-8", "2026-W492", "2026W49-2"),
        *("2026-W49T09:00", "2026-12-01T", "2026-12-01T9", "2026-12-01TZ", "2026-12-01T09:", "2026-12-01T09:0000"),
        *("2026-12-01T25:00", "2026-12-01T24:00:01", "2026-12-01T24:00:00.000001Z", "2026-12-01T09:60", "tomorrow"),
        *("2026-12-01T09:00:60Z", "2026-12-01T09:00:00.Z", "2026-12-01T09:00:00Z ", "2026-12-01T09:00:00 Z"),
        *("2026-12-01T09:00:00+1", "2026-12-01T09:00:00+24:00", "2026-12-01T09:00:00+01:60", "2026-12-01T09:00:00UTC"),
        *("2026-12-01T09:00:00+01:00:00", "２026-12-01", "2026-12-01T09:00:00Zz", "0000-01-01", "-2026-12-01"),
    ],
)
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="."):
        read_iso(text)


@pytest.mark.parametrize("text", ["9999-12-31T24:00:00Z", "9999-W53-7", "0001-W00-1"])
def test_a_time_outside_the_years_1_to_9999_is_refused(text: str) -> None:
    with pytest.raises((OverflowError, ValueError)):
        read_iso(text)


@settings(deadline=None)
@given(st.datetimes(timezones=st.none() | OFFSETS), st.sampled_from("T t_."), st.booleans())
def test_every_time_that_python_writes_is_read(moment: datetime, separator: str, basic: bool) -> None:  # noqa: FBT001
    text = moment.isoformat(separator)
    if basic:
        offset = text[19:].partition(".")[2][6:] if moment.microsecond else text[19:]
        fraction = text[19 : len(text) - len(offset)] if offset else text[19:]
        text = text[:10].replace("-", "") + text[10] + text[11:19].replace(":", "") + fraction + offset.replace(":", "")
    found = read_iso(text)
    assert found == moment
    assert found.utcoffset() == moment.utcoffset()


@settings(deadline=None)
@given(st.text("0123456789-:TZzW+., _", max_size=30))
def test_any_text_is_a_time_or_refused(text: str) -> None:
    try:
        found = read_iso(text)
    except (ValueError, OverflowError):
        return
    assert 1 <= found.year <= 9999
