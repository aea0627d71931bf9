"""Records that began before a moment and go on after it are found, whether they are short or long."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from mockserver.domain.running import LONG, LongSpans, Span

TIMES = st.integers(-5 * LONG, 5 * LONG) | st.sampled_from([-LONG, 0, LONG])
SPANS = st.builds(
    lambda calendar, start, length, own: Span(calendar, start + abs(length), own, start),
    st.sampled_from(["cal_a", "cal_b"]),
    TIMES,
    TIMES,
    st.integers(0, 1 << 40),
)


def as_it_is(span: Span) -> Span:
    return span


@settings(deadline=None)
@given(st.lists(SPANS, unique_by=lambda span: span.own), TIMES)
def test_what_runs_at_a_moment_is_found(spans: list[Span], at: int) -> None:
    half = len(spans) // 2
    index = LongSpans(as_it_is, spans[:half])
    before = index.copy()
    for span in spans[half:]:
        index.add(span)
    for span in spans[:half:2]:
        index.remove(span)
    left = [span for span in spans if span not in spans[:half:2]]
    for kept, there in ((index, left), (before, spans[:half])):
        mine = [span for span in there if span.calendar_id == "cal_a"]
        recent = [span for span in mine if at - LONG <= span.start < at]
        found = kept.running("cal_a", at, recent)
        assert sorted(found) == sorted(span for span in mine if span.start < at < span.end)
        assert found == sorted(found, key=lambda span: (span.start, span.own))


def test_short_records_are_not_kept() -> None:
    index = LongSpans(as_it_is, [Span("cal_a", LONG, 1, 0), Span("cal_a", LONG + 1, 2, 0)])
    assert [span.own for span in index] == [2]
    index.remove(Span("cal_a", LONG, 1, 0))
    assert len(index) == 1
