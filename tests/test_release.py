"""How a release is made: by a workflow that holds no token, out of parts that are pinned to commits."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
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


def test_every_fragment_of_the_changelog_says_what_it_is_and_something() -> None:
    settings = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["towncrier"]
    kinds = "|".join(kind["directory"] for kind in settings["type"])
    files = [each for each in (PROJECT / "changelog.d").iterdir() if each.name != "README.md"]

    assert [each.name for each in files if not re.fullmatch(rf"\+[a-z0-9-]+\.({kinds})\.md", each.name)] == []
    assert [each.name for each in files if not re.match(r"[^-#*\s].*\S\s*$", each.read_text("utf-8"), re.DOTALL)] == []


def test_a_release_takes_every_fragment_and_every_line_of_unreleased(tmp_path: Path) -> None:
    for name in ("pyproject.toml", "CHANGELOG.md"):
        shutil.copy(PROJECT / name, tmp_path)
    fragments = tmp_path / "changelog.d"
    fragments.mkdir()
    (fragments / "README.md").write_text("how it is done")
    (fragments / "+a-new-verb.added.md").write_text("`settle()` settles,\nand says so.\n")
    (fragments / "+a-mended-one.fixed.md").write_text("`void()` voids.\n")
    head, _, before = (tmp_path / "CHANGELOG.md").read_text(encoding="utf-8").partition("## Unreleased\n")

    command = [sys.executable, "-m", "towncrier", "build", "--yes", "--version", "1.2.3", "--date", "2026-03-01"]
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, timeout=60)

    after = (tmp_path / "CHANGELOG.md").read_text(encoding="utf-8")
    built = "### Added\n\n- `settle()` settles,\n  and says so.\n\n### Fixed\n\n- `void()` voids.\n"
    assert after.startswith(f"{head}## Unreleased\n\n## 1.2.3 (2026-03-01)\n\n{built}\n")
    assert after.endswith(before.lstrip())
    assert [each.name for each in fragments.iterdir()] == ["README.md"]
    headings = re.findall(r"^### .*$", after, re.MULTILINE)
    assert len(set(headings)) == len(headings), "a release has each of its headings once"


def test_the_version_is_one_that_sorts() -> None:
    assert re.fullmatch(r"\d+\.\d+\.\d+((a|b|rc)\d+)?", xerosync.__version__)


def test_links_of_the_papers_beside_the_readme_lead_somewhere() -> None:
    for name in ("CONTRIBUTING.md", "SECURITY.md"):
        page = (PROJECT / name).read_text(encoding="utf-8")
        links = [link.partition("#")[0] for link in re.findall(r"\]\(([^)]+)\)", page) if "://" not in link]
        assert links
        assert [link for link in links if not (PROJECT / link).exists()] == [], name
