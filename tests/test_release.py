"""How a release is made: by a workflow that holds no token, out of parts that are pinned to commits."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final, cast

import yaml

import xerosync

PROJECT: Final = Path(__file__).parents[1]
TEXT: Final = (PROJECT / ".github" / "workflows" / "release.yml").read_text(encoding="utf-8")
JOBS: Final = cast("dict[str, dict[str, object]]", yaml.safe_load(TEXT)["jobs"])


def test_only_the_job_that_publishes_may_prove_who_it_is() -> None:
    allowed = {name: job.get("permissions") for name, job in JOBS.items()}

    assert yaml.safe_load(TEXT)["permissions"] == {}
    assert allowed == {"build": {"contents": "read"}, "publish": {"id-token": "write"}}
    assert JOBS["publish"]["needs"] == "build"
    assert "secrets." not in TEXT
    assert "password" not in TEXT


def test_what_publishes_runs_no_code_of_ours() -> None:
    steps = cast("list[dict[str, object]]", JOBS["publish"]["steps"])

    assert [step for step in steps if "run" in step] == []


def test_every_part_is_pinned_to_a_commit() -> None:
    parts = re.findall(r"uses: (\S+)(.*)", TEXT)

    assert parts
    assert [
        part for part, named in parts if not re.fullmatch(r"[\w./-]+@[0-9a-f]{40}", part) or "# v" not in named
    ] == []


def test_sessions_and_scripts_of_the_workflow_exist() -> None:
    assert (PROJECT / ".ci" / "run").exists()
    for session in re.findall(r"nox -s (\w+)", TEXT + (PROJECT / "CONTRIBUTING.md").read_text(encoding="utf-8")):
        assert f"def {session}(" in (PROJECT / "noxfile.py").read_text(encoding="utf-8"), session


def test_the_version_is_one_that_sorts() -> None:
    assert re.fullmatch(r"\d+\.\d+\.\d+((a|b|rc)\d+)?", xerosync.__version__)


def test_links_of_the_papers_beside_the_readme_lead_somewhere() -> None:
    for name in ("CONTRIBUTING.md", "SECURITY.md"):
        page = (PROJECT / name).read_text(encoding="utf-8")
        links = [link.partition("#")[0] for link in re.findall(r"\]\(([^)]+)\)", page) if "://" not in link]
        assert links
        assert [link for link in links if not (PROJECT / link).exists()] == [], name
