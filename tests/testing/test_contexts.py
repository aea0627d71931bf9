"""Projects without pytest's fixtures: with blocks, decorators, unittest."""

from __future__ import annotations

import asyncio
import inspect
import unittest

import pytest

from mockserver.testing import AttendeeMock, AttendeeProject, ControlError, NeedsControls, Settings, attendee_project


def test_a_with_block_has_a_project_in_a_mock_of_its_own() -> None:
    with attendee_project(frozen=True, settings=Settings(strict=True)) as project:
        assert project.clock.frozen


def test_projects_can_share_a_mock(attendee_mock: AttendeeMock) -> None:
    with attendee_project(mock=attendee_mock) as one, attendee_project(mock=attendee_mock) as other:
        assert one.base_url == other.base_url
        assert one.api_key != other.api_key
    with pytest.raises(ControlError, match="no project has this key"):
        _ = one.clock.now


def test_async_code_has_the_same() -> None:
    async def run() -> bool:
        async with attendee_project(frozen=True) as project:
            return await asyncio.to_thread(lambda: project.clock.frozen)

    assert asyncio.run(run())


def test_a_decorated_function_gets_a_new_project_at_each_call(attendee_mock: AttendeeMock) -> None:
    @attendee_project(mock=attendee_mock, frozen=True)
    def key(prefix: str, *, project: AttendeeProject) -> str:
        assert project.clock.frozen
        return prefix + project.api_key

    @attendee_project(mock=attendee_mock)
    async def later(project: AttendeeProject) -> str:
        return project.api_key

    first, second = key("a"), key("a")  # type: ignore[call-arg]
    assert first != second
    assert asyncio.run(later()) not in (first, second)  # type: ignore[call-arg]
    assert [*inspect.signature(key).parameters] == ["prefix"]
    assert inspect.iscoroutinefunction(later)


def test_a_block_whose_project_cannot_be_made_leaves_no_mock_behind() -> None:
    with pytest.raises(ControlError, match="sync"), attendee_project(sync="never"):  # type: ignore[arg-type]
        pass


def test_unittest_enters_a_project_and_skips_what_needs_controls() -> None:
    class WithUnittest(unittest.TestCase):
        """What users of unittest write."""

        def setUp(self) -> None:
            self.project = self.enterContext(attendee_project())

        def test_a_project(self) -> None:
            self.assertEqual(self.project.calendar("ada").state, "connected")  # noqa: PT009

        def test_a_skip(self) -> None:
            raise NeedsControls("no controls")

    result = unittest.TestResult()
    unittest.defaultTestLoader.loadTestsFromTestCase(WithUnittest).run(result)
    assert (result.testsRun, result.failures, result.errors) == (2, [], [])
    assert [why for _, why in result.skipped] == ["no controls"]
