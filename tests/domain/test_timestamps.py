"""Timestamps: what the service was seen to take, to refuse and to write."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockserver.domain import timestamps

RECORDED = json.loads((Path(__file__).parent.parent / "recorded" / "timestamps.json").read_text("utf-8"))["values"]
NAIVE_TIMES = st.datetimes(min_value=datetime(1, 1, 2), max_value=datetime(9999, 12, 30))  # noqa: DTZ001


@pytest.mark.parametrize("row", RECORDED, ids=lambda row: ascii(row["value"]))
def test_texts_are_read_as_the_service_reads_them(row: dict[str, str | None]) -> None:
    text, wanted = row["value"], row["python3.10 (as recorded)"]
    assert text is not None
    instant = timestamps.parse(text)
    if wanted is None or wanted == "error":
        assert instant is None
    else:
        moment = datetime.fromisoformat(wanted)
        aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        assert instant is not None
        assert timestamps.to_datetime(instant) == aware


@given(NAIVE_TIMES)
def test_what_is_written_is_read_back(moment: datetime) -> None:
    instant = timestamps.parse(moment.isoformat())
    assert instant is not None
    assert timestamps.parse(timestamps.render(instant)) == instant
    assert timestamps.render_position(instant) == str(timestamps.to_datetime(instant))
    assert timestamps.parse_position(timestamps.render_position(instant)) == instant
    assert timestamps.parse(timestamps.render_offset(instant)) == instant


@given(NAIVE_TIMES, st.sampled_from([1, 1000, 1_000_000]))
def test_a_time_is_written_as_its_date_and_time_whatever_was_written_before(moment: datetime, unit: int) -> None:
    moment = moment.replace(microsecond=moment.microsecond // unit * unit)
    instant = timestamps.to_micros(moment.replace(tzinfo=UTC))
    for near in (instant + timestamps.SECOND, instant):
        assert timestamps.render(near) == timestamps.to_datetime(near).isoformat().removesuffix("+00:00") + "Z"


def test_a_fraction_is_written_with_six_digits_or_left_out() -> None:
    assert timestamps.render(1_500_000) == "1970-01-01T00:00:01.500000Z"
    assert timestamps.render(1_000_000) == "1970-01-01T00:00:01Z"


def test_a_position_may_be_a_loose_date() -> None:
    assert timestamps.parse("2026-5-1") is None
    assert timestamps.parse_position("2026-5-1") == timestamps.parse("2026-05-01")
    assert timestamps.parse_position("tomorrow") is None


def test_an_offset_beyond_the_first_day_is_still_an_instant() -> None:
    assert timestamps.parse("0001-01-01T00:00:00+05:30") is not None
    assert timestamps.parse("9999-12-31T23:59:59-05:30") is not None


@pytest.mark.parametrize(
    ("offset", "same"),
    [
        ("+02:60", "+03:00"),
        ("+0160", "+0200"),
        ("-01:99", "-02:39"),
        ("+00:75", "+01:15"),
        ("-0099", "-01:39"),
        ("+22:99", "+23:39"),
        ("+02:00:60", "+02:01:00"),
        ("-02:60:99", "-03:01:39"),
        ("+23:58:99.999999", "+23:59:39.999999"),
        ("+05", "+05:00"),
        (" +02:60", "+03:00"),
        ("+02:60\n", "+03:00"),
    ],
)
def test_of_an_offset_only_the_whole_is_bounded(offset: str, same: str) -> None:
    assert timestamps.parse(f"2026-05-10T00:00:00{offset}") == timestamps.parse(f"2026-05-10T00:00:00{same}")
    assert timestamps.parse(f"2026-05-10T00:00:00{same}") is not None


@pytest.mark.parametrize(
    "offset",
    ["+24:00", "+23:60", "-23:99", "+2360", "+99:00", "-24", "+23:59:60", "+02:5", "+2:00", "+2", "+02:100", "+02:00:6"]
    + ["+02:00:30.123", "+02:60:00.5", "+0260:00", "+026", "++02:60", "+02:60Z", "\u221202:60"],
)
def test_an_offset_of_a_day_or_of_another_form_is_refused(offset: str) -> None:
    assert timestamps.parse(f"2026-05-10T00:00:00{offset}") is None


@pytest.mark.parametrize("time", ["T24:00", "T23:60", "T23:59:60", "T00:00:99+02:60", " 24:00Z", " 1:60"])
def test_a_time_of_day_has_its_usual_bounds(time: str) -> None:
    assert timestamps.parse(f"2026-05-10{time}") is None


@pytest.mark.parametrize("text", ["2026-05-10T00.250", "2026-05-10T00:00.250000", "2026-05-10 00:00.250+00:00"])
def test_a_fraction_behind_hours_or_minutes_is_one_of_a_second(text: str) -> None:
    assert timestamps.parse(text) == timestamps.parse("2026-05-10T00:00:00.250")


@pytest.mark.parametrize("text", ["2026-05-10T00Z+00:00", "2026-05-10T00:00:00.+00:00", "2026-05-10T00:+00:00"])
def test_one_stray_character_before_an_offset_is_passed_over(text: str) -> None:
    assert timestamps.parse(text) == timestamps.parse("2026-05-10")


@pytest.mark.parametrize("text", ["2026-05-10T00Z", "2026-05-10T00ZZ+00:00", "2026-05-10T00:00:00.123Z+00:00"])
def test_other_stray_characters_are_not(text: str) -> None:
    assert timestamps.parse(text) is None
