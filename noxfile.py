"""The commands of the project; `nox -l` lists them, and CI calls nothing else.

All sessions share one locked environment, `.nox/gauntlet`: it is made when it is missing and renewed when the lock has
changed, so that a warm session begins at once. What follows `--` is handed to pytest, or to the session's tool.
"""

import argparse
import hashlib
import shutil
import sys
import zipfile
from pathlib import Path

import nox

nox.needs_version = ">=2026.10"
nox.options.default_venv_backend = "none"
nox.options.sessions = ["gate"]

ROOT = Path(__file__).parent
BUILD = ROOT / "build"
ENVIRONMENT = ROOT / ".nox" / "gauntlet"
LOCK = ROOT / "requirements" / "dev.txt"
PACKAGES = ("checklists", "fixtures", "gateway", "reports", "suites")

ALLURE_3 = "allure@3.18.0"
ALLURE_2 = "allure-commandline@2.46.1"

SMOKE_EVIDENCE = BUILD / "gate" / "evidence" / "smoke.jsonl"
UNIT_EVIDENCE = BUILD / "gate" / "evidence" / "unit.jsonl"
ARTEFACT_EVIDENCE = BUILD / "gate" / "evidence" / "artefacts.jsonl"
ALLURE_RESULTS = BUILD / "gate" / "allure-results"
REPORT = BUILD / "gate" / "report"
KILLS = BUILD / "prove" / "kills.jsonl"
COVERAGE = BUILD / "coverage"


@nox.session
def gate(session: nox.Session) -> None:
    """The release gate: all suites, the report, and the verdict as exit code. -- [--target NAME|URL] [--release FILE]."""
    release, arguments = _release_of(session)
    shutil.rmtree(BUILD / "gate", ignore_errors=True)
    python = _python(session)
    if _judges_reference(arguments):
        _unit_tests(session, python)
    _smoke_tests(session, python, arguments)
    _report(session, python, release)


@nox.session
def smoke(session: nox.Session) -> None:
    """The smoke suite alone, against the bundled gateway or: -- --target URL."""
    _smoke_tests(session, _python(session), session.posargs)


@nox.session
def report(session: nox.Session) -> None:
    """Judge the evidence of the last gate again and write its pages: -- [--release FILE]."""
    release, arguments = _release_of(session)
    _report(session, _python(session), release, *arguments)


@nox.session
def allure(session: nox.Session) -> None:
    """Render the last gate's results as Allure's pages (Allure 3 with Node, Allure 2 with Java)."""
    if not ALLURE_RESULTS.is_dir():
        session.error("there are no results yet: run `nox -s gate` first")
    page = BUILD / "gate" / "allure-report"
    shutil.rmtree(page, ignore_errors=True)
    command = _allure_command(session)
    if command is None:
        session.skip("NOT RUN: neither an `allure` on the PATH, nor npm with Node 20 or Java to bring one")
    session.run(*command, "generate", str(ALLURE_RESULTS), "-o", str(page), external=True)
    session.log(f"the pages are in {page}; open them with a web server: python -m http.server -d {page}")


@nox.session
def items(session: nox.Session) -> None:
    """How much of each checklist, by section, is covered by a test."""
    plan = BUILD / "plan" / "plan.jsonl"
    shutil.rmtree(plan.parent, ignore_errors=True)
    python = _python(session)
    session.run(
        python,
        "-m",
        "pytest",
        "suites/smoke",
        "--collect-only",
        "-q",
        f"--evidence={plan}",
        silent=True,
        external=True,
    )
    session.run(python, "-m", "reports", "items", "--evidence", str(plan), *session.posargs, external=True)


@nox.session
def prove(session: nox.Session) -> None:
    """Prove that every check can fail: each sabotage must turn its items red, and no others. -- [SABOTAGE...]."""
    KILLS.parent.mkdir(parents=True, exist_ok=True)
    session.run(
        _python(session),
        "-m",
        "fixtures.sabotage",
        "prove",
        "--out",
        str(KILLS),
        *session.posargs,
        external=True,
    )


@nox.session
def tests(session: nox.Session) -> None:
    """Everything that CI runs: lint, types, imports, wheel, proof, and the gate with all suites."""
    for name in ("lint", "types", "imports", "package", "prove", "gate", "allure"):
        session.notify(name)


@nox.session
def unit(session: nox.Session) -> None:
    """The unit tests, with branch coverage."""
    _unit_tests(session, _python(session), *session.posargs)


@nox.session
def lint(session: nox.Session) -> None:
    """Rules and format of the sources (ruff); the mending is: -- --fix."""
    python = _python(session)
    session.run(python, "-m", "ruff", "check", *session.posargs, external=True)
    session.run(python, "-m", "ruff", "format", *([] if session.posargs else ["--check"]), external=True)


@nox.session
def types(session: nox.Session) -> None:
    """Types of sources and tests (mypy --strict)."""
    session.run(_python(session), "-m", "mypy", *session.posargs, external=True)


@nox.session
def imports(session: nox.Session) -> None:
    """Directions of imports: layers, and gateway and harness apart (import-linter)."""
    python = Path(_python(session))
    session.run(str(python.with_name("lint-imports")), *session.posargs, external=True)


@nox.session
def package(session: nox.Session) -> None:
    """Build the wheel, install it elsewhere, and run the smoke suite from there."""
    dist, elsewhere = BUILD / "dist", BUILD / "elsewhere"
    for folder in (dist, elsewhere):
        shutil.rmtree(folder, ignore_errors=True)
    python = _python(session)
    session.run(python, "-m", "hatchling", "build", "-t", "wheel", "-d", str(dist), external=True)
    (wheel,) = dist.glob("*.whl")
    _check_wheel(session, wheel)
    installed = _make_environment(session, elsewhere / "environment", LOCK, str(wheel))
    with session.chdir(elsewhere):
        session.run(
            installed,
            "-m",
            "pytest",
            "--pyargs",
            "suites.smoke",
            "-q",
            "-p",
            "no:cacheprovider",
            external=True,
        )


@nox.session(name="new-code-coverage")
def new_code_coverage(session: nox.Session) -> None:
    """Coverage of the lines that differ from another branch: -- [BRANCH], `main` unless named."""
    python = Path(_python(session))
    _unit_tests(session, str(python))
    branch = session.posargs[0] if session.posargs else "main"
    session.run(
        str(python.with_name("diff-cover")),
        str(COVERAGE / "coverage.xml"),
        f"--compare-branch={branch}",
        "--fail-under=90",
        external=True,
    )


@nox.session
def lock(session: nox.Session) -> None:
    """Renew the locked requirements: -- --upgrade for newer versions."""
    session.run(
        *(
            "uv",
            "pip",
            "compile",
            "--quiet",
            "--universal",
            "--generate-hashes",
            "--no-header",
            "--no-annotate",
        ),
        *("--python-version=3.11", "--group=dev", "pyproject.toml", "-o", str(LOCK), *session.posargs),
        external=True,
    )


def _smoke_tests(session: nox.Session, python: str, arguments: list[str]) -> None:
    for remains in (SMOKE_EVIDENCE, ALLURE_RESULTS):
        _remove(remains)
    session.run(
        *(python, "-m", "pytest", "suites/smoke", "-n", "2", f"--evidence={SMOKE_EVIDENCE}"),
        *(f"--alluredir={ALLURE_RESULTS}", *arguments),
        # 1: tests failed, which is for the verdict to judge, as long as there is one
        success_codes=[0, 1] if session.name == "gate" else [0],
        external=True,
    )


def _unit_tests(session: nox.Session, python: str, *arguments: str) -> None:
    """Run the unit tests under coverage; the shortfall of either is the verdict's business within the gate."""
    shutil.rmtree(COVERAGE, ignore_errors=True)
    _remove(UNIT_EVIDENCE)
    in_gate = session.name == "gate"
    session.run(
        *(
            python,
            "-m",
            "coverage",
            "run",
            "-m",
            "pytest",
            "suites/unit",
            "-n",
            "2",
            f"--evidence={UNIT_EVIDENCE}",
        ),
        *arguments,
        success_codes=[0, 1] if in_gate else [0],
        external=True,
    )
    coverage = (python, "-m", "coverage")
    session.run(*coverage, "combine", "--quiet", external=True)
    session.run(
        *coverage, "json", "--quiet", "--fail-under=0", "-o", str(COVERAGE / "coverage.json"), external=True
    )
    session.run(
        *coverage, "xml", "--quiet", "--fail-under=0", "-o", str(COVERAGE / "coverage.xml"), external=True
    )
    session.run(*coverage, "report", success_codes=[0, 2] if in_gate else [0], external=True)
    session.run(
        *(python, "-m", "reports", "artefact", "unit-tests", "--evidence", str(UNIT_EVIDENCE)),
        *("--coverage", str(COVERAGE / "coverage.json"), "--out", str(ARTEFACT_EVIDENCE)),
        external=True,
    )


def _report(session: nox.Session, python: str, release: list[str], *arguments: str) -> None:
    if not SMOKE_EVIDENCE.is_file():
        session.error("there is no evidence yet: run `nox -s gate` first")
    kills = ["--kills", str(KILLS)] if KILLS.is_file() else []
    session.run(
        *(python, "-m", "reports", "build", "--evidence", str(SMOKE_EVIDENCE.parent), *release, *kills),
        *("--allure", str(ALLURE_RESULTS), "--out", str(REPORT), *arguments),
        external=True,
    )


def _release_of(session: nox.Session) -> tuple[list[str], list[str]]:
    """Split what follows `--` into the release file's option, for the report, and the rest, for pytest."""
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument("--release")
    known, rest = parser.parse_known_args(session.posargs)
    default = "reference" if _judges_reference(rest) else "outside"
    return ["--release", known.release or default], rest


def _judges_reference(arguments: list[str]) -> bool:
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument("--target", default="reference")
    return bool(parser.parse_known_args(arguments)[0].target == "reference")


def _python(session: nox.Session) -> str:
    """Return the interpreter of the shared environment, made or renewed if need be."""
    return _make_environment(session, ENVIRONMENT, LOCK, "--editable", str(ROOT))


def _make_environment(session: nox.Session, folder: Path, lock: Path, *project: str) -> str:
    python = folder / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    wanted = hashlib.sha256(lock.read_bytes() + (ROOT / "pyproject.toml").read_bytes()).hexdigest()
    stamp = folder / "gauntlet.stamp"
    if stamp.is_file() and stamp.read_text() == wanted and python.exists():
        return str(python)
    session.log(f"making the environment {folder.relative_to(ROOT)}")
    shutil.rmtree(folder, ignore_errors=True)
    if shutil.which("uv"):
        session.run("uv", "venv", "--quiet", f"--python={sys.executable}", str(folder), external=True)
        install = ["uv", "pip", "install", "--quiet", f"--python={python}"]
    else:
        session.run(sys.executable, "-m", "venv", str(folder), external=True)
        install = [str(python), "-m", "pip", "install", "--quiet"]
    session.run(*install, "--require-hashes", "-r", str(lock), external=True)
    session.run(*install, "--no-deps", "--no-build-isolation", *project, external=True)
    stamp.write_text(wanted)
    return str(python)


def _check_wheel(session: nox.Session, wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    wanted = {f"{name}/py.typed" for name in PACKAGES if name != "checklists"} | {
        "checklists/provider-layer.yaml"
    }
    if missing := sorted(wanted - names):
        session.error(f"the wheel lacks {', '.join(missing)}")


def _allure_command(session: nox.Session) -> list[str] | None:
    on_path = shutil.which("allure")
    if on_path:
        return [on_path]
    npm, node, java = (shutil.which(name) for name in ("npm", "node", "java"))
    if npm is None or not (node or java):
        return None
    folder = BUILD / "allure"
    executable = folder / "node_modules" / ".bin" / "allure"
    if not executable.exists():
        wanted = ALLURE_3 if node else ALLURE_2
        session.run(npm, "install", "--silent", "--no-save", "--prefix", str(folder), wanted, external=True)
    return [str(executable)]


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
