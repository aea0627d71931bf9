"""The pytest plugin: what fixtures, marker, options and reports do in somebody's test suite."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

# Imported here, because what a suite in this process imports first is forgotten at its end and imported again.
import mockserver.coach
import mockserver.testing.interception
import mockserver.testing.plugin_state  # noqa: F401
from mockserver.server import running
from mockserver.settings import Settings
from tests.patience import HANGS
from tests.testing.deployments import KEY, deployment

pytest_plugins = ["pytester"]
OPTIONS = ("-p", "no:cacheprovider", "-p", "no:randomly")


@pytest.fixture
def suite(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """Runs test suites in this process; keys of the environment are not theirs."""
    for name in ("ATTENDEE_API_KEY", "ATTENDEE_WEBHOOK_SECRET", "ATTENDEE_BASE_URL"):
        monkeypatch.delenv(name, raising=False)
    return pytester


def run(suite: pytest.Pytester, text: str, *options: str) -> pytest.RunResult:
    suite.makepyfile(text)
    return suite.runpytest_inprocess(*OPTIONS, *options)


def test_the_fixtures_give_the_objects_of_the_public_api(suite: pytest.Pytester) -> None:
    text = """
        import os
        from mockserver.testing import AttendeeMock, AttendeeProject, Settings, WebhookReceiver

        def test_all(
            attendee_settings, attendee_mock, attendee_project, attendee_env, attendee_webhooks, attendee_intercept,
            attendee_asgi, request,
        ):
            assert isinstance(attendee_settings, Settings)
            assert isinstance(attendee_mock, AttendeeMock)
            assert isinstance(attendee_project, AttendeeProject)
            assert isinstance(attendee_webhooks, WebhookReceiver)
            assert attendee_asgi is attendee_mock.asgi
            assert attendee_project.name == request.node.nodeid
            assert attendee_env == attendee_project.env
            assert all(os.environ[name] == value for name, value in attendee_env.items())
            assert [one["url"] for one in attendee_project.subscriptions] == [attendee_webhooks.url]

        def test_nothing_is_left(attendee_mock):
            assert "ATTENDEE_API_KEY" not in os.environ
            project = attendee_mock.new_project()
            assert len(project.controls.ask("GET", "projects")["projects"]) == 2
    """
    run(suite, text).assert_outcomes(passed=2)


def test_settings_are_overridden_and_the_closest_marker_wins(suite: pytest.Pytester) -> None:
    suite.makeconftest("""
        import pytest
        from mockserver.testing import Settings

        @pytest.fixture(scope="session")
        def attendee_settings():
            return Settings(sync="manual")
    """)
    suite.mkdir("data").joinpath("world.yaml").write_text(
        "projects: [{name: A, api_keys: [a-key], calendars: [{platform: google, deduplication_key: ada}]}]", "utf-8"
    )
    text = """
        import pytest

        pytestmark = pytest.mark.attendee(frozen=True, now="2027-01-15T08:00:00Z", fixtures="data/world.yaml")

        def test_settings(attendee_mock, attendee_project):
            assert attendee_mock.settings.sync == "manual"
            assert attendee_project.clock.now.isoformat() == "2027-01-15T08:00:00+00:00"
            assert attendee_project.calendar("ada").platform == "google"

        @pytest.mark.attendee(now="2028-01-15T08:00:00Z", sync="auto", faults=[{"kind": "delay", "first": 1}])
        class TestClosest:
            @pytest.mark.attendee(frozen=False, fixtures={"calendars": []})
            def test_closest(self, attendee_mock, attendee_project):
                clock = attendee_project.controls.ask("GET", "project")
                assert (clock["clock"]["frozen"], clock["calendars"], clock["sync"]) == (False, 0, "auto")
                assert attendee_project.clock.now.year == 2028
                assert [fault["kind"] for fault in attendee_project.faults] == ["delay"]
                assert attendee_project.base_url == attendee_mock.url

        @pytest.mark.parametrize("_", range(2))
        @pytest.mark.attendee(strict=True, post_rate="1/min", random_seed=7)
        def test_a_mock_of_its_own(attendee_mock, attendee_project, attendee_asgi, record_property, _):
            assert attendee_project.base_url != attendee_mock.url
            assert attendee_asgi is not attendee_mock.asgi
    """
    run(suite, text).assert_outcomes(passed=4)


@pytest.mark.parametrize(
    ("marker", "problem"),
    [
        ("frozn=True", "marker attendee: the keyword 'frozn' is unknown; valid: fixtures, sync, now, frozen, faults"),
        ("True", "marker attendee: it takes only keywords; valid: fixtures,"),
    ],
)
def test_an_unknown_keyword_of_the_marker_is_a_usage_error(suite: pytest.Pytester, marker: str, problem: str) -> None:
    result = run(suite, f"import pytest\n@pytest.mark.attendee({marker})\ndef test_it(): pass")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"ERROR: *.py::test_it: {problem}*"])


def test_a_worker_of_xdist_reports_an_unknown_keyword_as_an_error_of_the_test(
    suite: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pytest.Config, "workerinput", {}, raising=False)
    result = run(suite, "import pytest\n@pytest.mark.attendee(frozn=True)\ndef test_it(): pass", "-p", "no:xdist")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*marker attendee: the keyword 'frozn' is unknown; valid: *"])


def test_a_wrong_value_of_the_marker_is_an_error_that_names_it(suite: pytest.Pytester) -> None:
    result = run(suite, 'import pytest\n@pytest.mark.attendee(sync="never")\ndef test_it(attendee_project): pass')
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["E *ControlError: sync: must be auto or manual*"])


def test_a_wrong_value_in_the_ini_file_is_a_usage_error(suite: pytest.Pytester) -> None:
    suite.makeini("[pytest]\nattendee_coach = loud")
    result = run(suite, "def test_it(): pass")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: attendee_coach: 'loud' is unknown; valid: off, warn, error"])


FAILING = """
    import pytest
    import requests

    @pytest.mark.attendee(frozen=True)
    def test_it(attendee_project, attendee_webhooks, attendee_intercept):
        url = "https://app.attendee.dev/api/v1/calendars"
        for _ in range(11):
            requests.get(url, headers=attendee_project.headers)
        requests.post(url, json={"platform": "gogle"}, headers=attendee_project.headers)
        with pytest.raises(requests.ConnectionError):
            requests.get("http://app.attendee.dev/", headers=attendee_project.headers)
        attendee_webhooks.answer(500)
        ada = attendee_project.calendar("ada")
        ada.add_event("Planning")
        ada.sync()
        assert attendee_project.bots
"""


def test_a_failed_test_shows_its_exchanges_refusals_and_webhooks(suite: pytest.Pytester) -> None:
    result = run(suite, FAILING, "--attendee-har=har")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "*- Attendee -*",
            "attendee_intercept refused GET http://app.attendee.dev.",
            "12 requests of project '*.py::test_it', the last 10:",
            "  #3 GET /api/v1/calendars 200",
            "  #12 POST /api/v1/calendars 400",
            "      It was refused with 400: *platform: not a valid choice.",
            "      this would be accepted: curl -sS -X POST *",
            "not delivered: 1 webhook",
            "  delivery of calendar.events_update for cal_* pending, answered 500, due at *",
            "received: * webhook*",
            "  calendar.events_update of ada (*), answered 500",
        ]
    )
    (file,) = (suite.path / "har").iterdir()
    assert file.name.endswith("test_it.har")
    archive = json.loads(file.read_text("utf-8"))
    assert len(archive["log"]["entries"]) > 12


def test_a_failed_setup_shows_what_happened_and_a_webhook_that_never_came_is_explained(suite: pytest.Pytester) -> None:
    text = """
        import pytest

        @pytest.fixture
        def broken(attendee_webhooks):
            raise OSError("broken")

        def test_it(broken): pass
    """
    result = run(suite, text)
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(
        ["*- Attendee -*", "No request came.", "received: 0 webhooks", "  the project has made no such delivery; *"]
    )


def test_what_the_client_does_wrong_does_not_fail_a_test_at_its_end(suite: pytest.Pytester) -> None:
    text = """
        import requests

        def test_it(attendee_project):
            url = f"{attendee_project.base_url}/api/v1"
            attendee_project.faults.add(kind="status", status=503, first=1)
            for method, path in [("GET", "/calendars"), ("GET", "/calendars/x"), ("POST", "/bots/x/leave")]:
                requests.request(method, url + path, headers=attendee_project.headers)
            form = {"bot_name": "Notes", "calendar_event_id": "evt_x"}
            ada = attendee_project.calendar("ada")
            ada.add_event("Planning", url="https://meet.google.com/abc-defg-hij")
            ada.sync()
            event = requests.get(url + "/calendar_events", headers=attendee_project.headers).json()["results"][0]
            form = {"bot_name": "Notes", "calendar_event_id": event["id"]}
            assert requests.post(url + "/bots", data=form, headers=attendee_project.headers).status_code == 500
            attendee_project.controls.ask("POST", "reset")
    """
    run(suite, text).assert_outcomes(passed=1)


def test_a_mistake_of_the_mock_itself_fails_the_test_at_its_end(suite: pytest.Pytester) -> None:
    text = """
        import requests

        def test_it(attendee_mock, attendee_project):
            ada = attendee_project.calendar("ada")
            store = attendee_mock._mock.store

            def damage():
                calendars = store.by_name[attendee_project.name].state.calendars
                calendars.put(ada.id, calendars.get(ada.id)._replace(platform="none"))

            attendee_mock.asgi.run(damage)
            answer = requests.get(f"{attendee_project.base_url}/api/v1/calendars", headers=attendee_project.headers)
            assert answer.status_code == 500
    """
    result = run(suite, text)
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(
        [
            "E *AssertionError: the mock failed, so this test shows nothing about the client:",
            "E *#1 GET /api/v1/calendars 500: *",
        ]
    )


RETRYING = """
    import pytest, requests

    @pytest.mark.attendee(faults=[{"kind": "throttled", "first": 1, "retry_after": 5}])
    def test_it(attendee_project):
        for _ in range(2):
            requests.get(f"{attendee_project.base_url}/api/v1/calendars", headers=attendee_project.headers)
"""


def test_the_coach_is_off_warns_or_fails(suite: pytest.Pytester) -> None:
    run(suite, RETRYING).assert_outcomes(passed=1, warnings=0)
    warned = run(suite, RETRYING, "--attendee-coach=warn", "-W", "default")
    warned.assert_outcomes(passed=1, warnings=1)
    warned.stdout.fnmatch_lines(["*CoachWarning: *::test_it: retried-at-once (#1, #2): *Cure: *"])
    suite.makeini("[pytest]\nattendee_coach = error")
    failed = run(suite, RETRYING)
    failed.assert_outcomes(passed=1, errors=1)
    failed.stdout.fnmatch_lines(["E *the coach found mistakes of the client:", "E *retried-at-once (#1, #2): *"])
    run(suite, RETRYING, "--attendee-coach=off").assert_outcomes(passed=1)


MIXED = """
    import pytest
    import requests

    def test_reading(attendee_project, attendee_env):
        url = attendee_env["ATTENDEE_BASE_URL"]
        assert requests.get(f"{url}/api/v1/calendars", headers=attendee_project.headers).status_code == 200

    def test_rerouted(attendee_project, attendee_intercept):
        url = "https://app.attendee.dev/api/v1/calendars"
        assert requests.get(url, headers=attendee_project.headers).status_code == 200

    def test_clock(attendee_project):
        attendee_project.clock.freeze()

    def test_webhooks(attendee_webhooks): pass

    def test_application(attendee_asgi): pass

    @pytest.mark.attendee(frozen=True)
    def test_marked(attendee_project): pass

    @pytest.mark.attendee(strict=True)
    def test_own(attendee_project): pass

    def test_failing(attendee_project):
        assert not attendee_project.is_real
"""


def test_against_a_real_deployment_what_needs_controls_is_skipped_with_the_reason(
    suite: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ATTENDEE_API_KEY", KEY)
    with deployment() as url:
        result = run(suite, MIXED, f"--attendee-url={url}", "-rs", "--attendee-har=har")
    result.assert_outcomes(passed=2, skipped=5, failed=1)
    result.stdout.fnmatch_lines(
        [
            f"{url} is a real deployment: it does not show what it was asked.",
            "SKIPPED * is a real deployment: it has no controls of a mock (POST clock freeze)",
        ]
    )
    assert not (suite.path / "har").exists() or not [*(suite.path / "har").iterdir()]


def test_against_a_mock_elsewhere_everything_runs_but_what_needs_its_process(suite: pytest.Pytester) -> None:
    with running(Settings()) as server:
        suite.makeini(f"[pytest]\nattendee_url = {server.url}")
        run(suite, MIXED).assert_outcomes(passed=6, skipped=2)


def test_a_real_deployment_without_a_key_is_an_error_that_names_the_variable(suite: pytest.Pytester) -> None:
    with deployment() as url:
        result = run(suite, "def test_it(attendee_project): pass", f"--attendee-url={url}")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["E *is a real deployment; set ATTENDEE_API_KEY to the key of a project for tests"])


def test_a_mock_that_is_gone_is_said_to_be(suite: pytest.Pytester) -> None:
    text = """
        def test_it(attendee_mock, attendee_project):
            attendee_mock._stack.close()
            assert False
    """
    result = run(suite, text)
    result.stdout.fnmatch_lines(["The mock could not be asked what happened: nothing answers at *"])


def test_pytest_without_the_fixtures_imports_nothing_of_the_mock(tmp_path: Path) -> None:
    """What pytest imports before it measures coverage is reported as not covered, and every start pays for it."""
    (tmp_path / "test_none.py").write_text(
        "import sys\n\ndef test_it():\n    print(sorted(one for one in sys.modules if one.startswith('mockserver')))\n",
        "utf-8",
    )
    command = [sys.executable, "-m", "pytest", "-q", "-s", "-p", "no:cacheprovider", "--assert=plain"]
    command += [
        part for name in ("schemathesis", "hypothesispytest", "anyio", "xdist") for part in ("-p", f"no:{name}")
    ]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("COV")}
    done = subprocess.run(
        command, cwd=tmp_path, capture_output=True, text=True, timeout=HANGS, check=True, env=environment
    )
    assert "['mockserver', 'mockserver.testing', 'mockserver.testing.plugin']" in done.stdout
