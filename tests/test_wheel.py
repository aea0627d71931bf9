"""The wheel: built, installed into an empty environment, and served from."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import urllib.request
import zipfile
from pathlib import Path

from tests.patience import HANGS

ROOT = Path(__file__).parent.parent


def command(*arguments: str | Path, **options: str) -> str:
    done = subprocess.run(arguments, capture_output=True, text=True, timeout=HANGS, check=False, **options)  # type: ignore[call-overload]
    assert done.returncode == 0, done.stdout + done.stderr
    return str(done.stdout)


def test_a_wheel_in_a_clean_environment_serves_contract_and_fixtures(tmp_path: Path) -> None:
    command(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", tmp_path, ROOT)
    (wheel,) = tmp_path.glob("attendee_mockserver-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        (points,) = (archive.read(name).decode() for name in names if name.endswith("entry_points.txt"))
    assert "[pytest11]\nattendee = mockserver.testing.plugin" in points
    data = {
        "_data/openapi.yaml",
        "_data/evidence.yaml",
        "_data/contracts/bots.yaml",
        "_data/contracts/control.yaml",
        "_data/contracts/webhooks.yaml",
        "_data/fixtures/default.yaml",
        "py.typed",
    }
    assert {f"mockserver/{name}" for name in data} <= {*names}
    assert not [name for name in names if name.startswith(("tests/", "fixtures/"))]
    # The environment gets no pip of its own, and nothing is compiled that is never imported: both take seconds.
    command(sys.executable, "-m", "venv", "--without-pip", tmp_path / "venv")
    python = tmp_path / "venv" / "bin" / "python"
    pip = (sys.executable, "-m", "pip", "--python", python, "--disable-pip-version-check")
    command(*pip, "install", "--quiet", "--no-compile", "-c", ROOT / "constraints.txt", wheel)
    use = "from mockserver.testing import *; p = attendee_project(); print(p.__enter__().calendar('ada').state)"
    assert command(python, "-c", use, cwd=str(tmp_path)) == "connected\n"
    with subprocess.Popen(
        [tmp_path / "venv" / "bin" / "attendee-mockserver", "--port", "0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        cwd=tmp_path,
        env={name: value for name, value in os.environ.items() if name != "PYTHONPATH"},
    ) as serve:
        try:
            assert serve.stdout is not None
            match = re.search(r"ready at (\S+)", serve.stdout.readline())
            assert match
            path = "/api/v1/calendars/cal_abcdef1234567890"
            request = urllib.request.Request(match[1] + path, headers={"Authorization": "Token YOUR_API_KEY_HERE"})
            with urllib.request.urlopen(request, timeout=HANGS) as response:
                assert response.status == 200
            for page in ("docs/", "docs/swagger-ui-bundle.js", "control.json"):
                with urllib.request.urlopen(f"{match[1]}/__mock__/{page}", timeout=HANGS) as response:
                    assert response.status == 200
        finally:
            serve.kill()
