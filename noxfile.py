"""The project's checks. Plain ``nox`` runs those that every change must pass; ``nox -l`` lists them all."""

from __future__ import annotations

import os
from pathlib import Path

import nox

nox.needs_version = ">=2025.5.1"
nox.options.default_venv_backend = "uv|virtualenv"
nox.options.reuse_existing_virtualenvs = True

# Where nox itself was started from a folder of its own, its packages must not shadow those of the sessions.
os.environ.pop("PYTHONPATH", None)
# As pip does: trust what the machine trusts, which behind a company's proxy is more than uv brings along.
os.environ.setdefault("UV_SYSTEM_CERTS", "1")

PROJECT = nox.project.load_toml("pyproject.toml")
DOCS_BUILD = Path("docs/_build")


def install(session: nox.Session, *groups: str, project: bool = True) -> None:
    """Install dependency *groups*, and the project as it lies in ``src`` unless told otherwise."""
    session.install(*nox.project.dependency_groups(PROJECT, *groups), *(["-e", "."] if project else []))


@nox.session
def format(session: nox.Session) -> None:  # noqa: A001  # the session's name, which scripts call
    """Every file is laid out as ruff would (``-- --fix`` lays it out)."""
    install(session, "lint", project=False)
    session.run("ruff", "format", *([] if "--fix" in session.posargs else ["--check"]))


@nox.session
def lint(session: nox.Session) -> None:
    """No rule of ruff's, as chosen in pyproject.toml, is broken."""
    install(session, "lint", project=False)
    session.run("ruff", "check", *session.posargs)


@nox.session
def layers(session: nox.Session) -> None:
    """Imports only point down, as docs/concepts/layers.md says."""
    install(session, "layers")
    session.run("lint-imports", "--no-logo")


@nox.session
def types(session: nox.Session) -> None:
    """Two type checkers agree that everything is typed, and that a user's checker will see all of it."""
    install(session, "types")
    session.run("mypy", "--num-workers", "auto")
    # The wheel brings its own Node.js; it must neither look for another nor for a newer pyright.
    pyright = {"PYRIGHT_PYTHON_IGNORE_WARNINGS": "1", "PYRIGHT_PYTHON_GLOBAL_NODE": "0"}
    python = Path(session.virtualenv.bin, "python")
    session.run("pyright", "--threads", str(os.cpu_count() or 1), "--pythonpath", str(python), env=pyright)
    session.run("pyright", "--pythonpath", str(python), "--verifytypes", "xerosync", "--ignoreexternal", env=pyright)


@nox.session
def docs(session: nox.Session) -> None:
    """The pages build without a warning, and docs/features.md names only tests and pages that exist."""
    install(session, "docs")
    session.run(
        "sphinx-build", "-n", "-W", "--keep-going", "-q", "-E", "-j", "auto", "docs", str(DOCS_BUILD), *session.posargs
    )
    session.log(f"read them at {DOCS_BUILD / 'index.html'}")


@nox.session
def tests(session: nox.Session) -> None:
    """All tests pass, on every core, with warnings as errors (``-- tests/…`` chooses some)."""
    run_tests(session)


def run_tests(session: nox.Session, **environment: str) -> None:
    """Run the tests that are chosen, in this *environment*."""
    install(session, "test")
    # Hypothesis' "ci" profile has no deadlines, which a busy machine would miss, and repeats its examples run by run.
    # A few tests take minutes: whoever has nothing left takes from the others.
    spread = ("-n", "auto", "--dist", "worksteal")
    session.run("pytest", *spread, "--durations=10", "--hypothesis-profile=ci", *session.posargs, env=environment)


@nox.session(default=False)
def wheel(session: nox.Session) -> None:
    """The wheel, made from the source archive and installed alone, plays the demo (``-- --keep DIR`` keeps both)."""
    install(session, "release", project=False)
    dist = Path(session.posargs[-1] if "--keep" in session.posargs else session.create_tmp(), "").resolve()
    for older in dist.glob("xerosync-*"):
        older.unlink()
    session.run("python", "-m", "build", "--outdir", str(dist))
    session.run("twine", "check", "--strict", *map(str, dist.glob("xerosync-*")))
    (built,) = dist.glob("*.whl")
    alone = Path(session.create_tmp(), "alone").resolve()
    session.run("python", "-m", "virtualenv", "--clear", "-q", str(alone))
    session.run(str(alone / "bin" / "python"), "-m", "pip", "install", "-q", str(built), external=True)
    session.run(str(alone / "bin" / "python"), "-I", str(Path("tests/installed.py").resolve()), external=True)


@nox.session(default=False)
def changelog(session: nox.Session) -> None:
    """What the fragments in changelog.d say (``-- 1.2.3`` puts them into CHANGELOG.md as that version's)."""
    install(session, "release", project=False)
    wanted = ["--yes", "--version", session.posargs[0]] if session.posargs else ["--draft", "--version", "Unreleased"]
    session.run("towncrier", "build", *wanted)


@nox.session(name="tests-3.12", python="3.12", default=False)
def tests_3_12(session: nox.Session) -> None:
    """As ``tests``, on Python 3.12."""
    tests(session)


@nox.session(name="tests-3.13", python="3.13", default=False)
def tests_3_13(session: nox.Session) -> None:
    """As ``tests``, on Python 3.13."""
    tests(session)


@nox.session(default=False)
def httpx2(session: nox.Session) -> None:
    """As ``tests``, on httpx2: whoever imports httpx there gets its successor."""
    run_tests(session, PYTHONPATH=str(Path("tests/httpx2").resolve()), XEROSYNC_HTTP_LIBRARY="httpx2")


@nox.session(default=False)
def benchmarks(session: nox.Session) -> None:
    """Measure side by side with the peers, and fail where a goal is missed (``-- decode import_time`` chooses some)."""
    install(session, "benchmarks")
    scripts = [path.stem for path in sorted(Path("tests/benchmarks").glob("*.py")) if "__main__" in path.read_text()]
    missed: list[str] = []
    for name in session.posargs or scripts:
        try:
            session.run("python", "-m", f"tests.benchmarks.{name}")
        except nox.command.CommandFailed:
            missed.append(name)
    if missed:
        session.error(f"goals missed by {', '.join(missed)}")


@nox.session(default=False)
def simulate(session: nox.Session) -> None:
    """
    Fresh schedules in which everything goes wrong (``-- --seeds N``), or a search for killers (``-- --mutants``).

    ``--fast`` leaves client and HTTP out, ``--workers N`` plays in N processes, ``--help`` tells the rest.
    """
    install(session, "test")
    room = "tests.engine.mutants" if "--mutants" in session.posargs else "xerosync.testing.simulation"
    session.run("python", "-m", room, *(each for each in session.posargs if each != "--mutants"))


@nox.session(default=False)
def planted(session: nox.Session) -> None:
    """The reconciliation finds all discrepancies planted in books, and nothing else (``-- --seeds N``, else 1000)."""
    install(session, "test")
    session.run("python", "-m", "tests.receivables.planted", *session.posargs)


@nox.session(default=False)
def fuzz(session: nox.Session) -> None:
    """The simulator bears whatever Xero's specification lets a client say, and more (``-- --cases N``, else 5000)."""
    install(session, "test")
    cases = session.posargs[session.posargs.index("--cases") + 1] if "--cases" in session.posargs else "5000"
    session.run("pytest", "-n", "auto", "-rs", "tests/simulator/test_spec_fuzz.py", env={"XEROSYNC_FUZZ_CASES": cases})
