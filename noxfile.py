"""The commands of the project; `nox -l` lists them, and CI calls nothing else.

All sessions share one locked environment, `.nox/gauntlet`: it is made when it is missing and renewed when the lock has
changed, so that a warm session begins at once. What follows `--` is handed to pytest, or to the session's tool.
"""

import argparse
import contextlib
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import Any

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

NPM_TRIES = 3
NPM_PATIENCE_S = 180
"""A registry may fall silent in the middle of an installation, and npm then waits for it without an end."""

SUITES = ("smoke", "contract", "chaos", "load")
"""The suites of the gate, in the order in which they run."""

MEASURED = frozenset({"load"})
"""The suites beside whose tests nothing else may run."""

EVIDENCE = BUILD / "gate" / "evidence"
ALLURE_RESULTS = BUILD / "gate" / "allure-results"
REPORT = BUILD / "gate" / "report"
KILLS = BUILD / "prove" / "kills.jsonl"
COVERAGE = BUILD / "coverage"

LEAVES_EVIDENCE = [0, 1, 2, 3, 5]
"""The exit statuses with which pytest leaves evidence: within the gate it is for the verdict to say what they mean."""

COVERAGE_TOO_LOW = 2
"""coverage's exit status, likewise."""


@nox.session
def gate(session: nox.Session) -> None:
    """The release gate: all suites, the report, the verdict as exit code. -- [--target NAME|URL] [--release FILE]."""
    release, arguments = _release_of(session)
    shutil.rmtree(BUILD / "gate", ignore_errors=True)
    if _judges_reference(arguments):
        _unit_tests(session, in_gate=True)
    for suite in SUITES:
        _suite_tests(session, suite, arguments, in_gate=True)
    _report(session, release)


@nox.session
def smoke(session: nox.Session) -> None:
    """The smoke suite alone, against the bundled gateway or: -- --target URL."""
    _suite_tests(session, "smoke", session.posargs)


@nox.session
def contract(session: nox.Session) -> None:
    """The contract suite alone, every provider by every rule: -- [-k groq] [--target URL]."""
    _suite_tests(session, "contract", session.posargs)


@nox.session
def chaos(session: nox.Session) -> None:
    """The chaos suite alone, scaled down or as long as in the field: -- [--chaos full] [--fault-proxy toxiproxy]."""
    _suite_tests(session, "chaos", session.posargs)


@nox.session
def load(session: nox.Session) -> None:
    """The load suite alone, for minutes or as long as in the field: -- [--load full] [--target URL]."""
    _suite_tests(session, "load", session.posargs)


@nox.session(name="chaos-toxiproxy")
def chaos_toxiproxy(session: nox.Session) -> None:
    """The faults below HTTP again, over the original Toxiproxy where one is to be had (docs/CHAOS.md)."""
    if not os.environ.get("GAUNTLET_TOXIPROXY_URL") and shutil.which("toxiproxy-server") is None:
        session.skip("NOT RUN: neither an address in GAUNTLET_TOXIPROXY_URL nor toxiproxy-server on the PATH")
    words = "pytest suites/chaos/test_faults.py -n 2 --fault-proxy toxiproxy"
    _python_m(session, words, *session.posargs)


@nox.session
def bench(session: nox.Session) -> None:
    """Benchmarks beside baselines in the same run: -- [--quick] [--only throughput,latency] [--peers litellm]."""
    _python_m(session, "fixtures.bench", *session.posargs)


@nox.session
def report(session: nox.Session) -> None:
    """Judge the evidence of the last gate again and write its pages: -- [--release FILE]."""
    release, arguments = _release_of(session)
    _report(session, release, *arguments)


@nox.session
def allure(session: nox.Session) -> None:
    """Render the last gate's results as Allure's pages, by Allure 3; by Allure 2, which wants Java: -- 2."""
    if not ALLURE_RESULTS.is_dir():
        session.error("there are no results yet: run `nox -s gate` first")
    command = _allure_command(session)
    if command is None:
        session.skip("NOT RUN: neither an `allure` on the PATH, nor npm to bring one, for Allure 2 with Java")
    pages = BUILD / "gate" / "allure-report"
    shutil.rmtree(pages, ignore_errors=True)
    session.run(*command, "generate", str(ALLURE_RESULTS), "-o", str(pages), external=True)
    _take_out_tracking(session, pages / "index.html")
    session.log(f"the pages are in {pages}; they want a web server: python -m http.server -d {pages}")


@nox.session
def items(session: nox.Session) -> None:
    """How much of each checklist, by section, is covered by a test."""
    plan = BUILD / "plan" / "plan.jsonl"
    _remove(plan)
    suites = [f"suites/{suite}" for suite in SUITES]
    _python_m(session, "pytest --collect-only -q", *suites, f"--evidence={plan}", silent=True)
    _python_m(session, "reports items --evidence", plan, *session.posargs)


@nox.session
def prove(session: nox.Session) -> None:
    """Prove that every check can fail: each sabotage must turn its items red, and no others. -- [SABOTAGE...].

    `--sound build/gate/evidence` saves the run without any sabotage where the gate has just been run.
    """
    _python_m(session, "fixtures.sabotage prove --out", KILLS, *session.posargs)


@nox.session
def tests(session: nox.Session) -> None:
    """All that CI runs: lint, types, imports, wheel, the gate with all suites, its proof, Toxiproxy, Allure's pages."""
    for name in ("lint", "types", "imports", "package", "gate", "chaos-toxiproxy"):
        session.notify(name)
    # The gate's own evidence is that of the gateway without any sabotage; the report then tells of the proof too.
    session.notify("prove", posargs=("--sound", str(EVIDENCE)))
    for name in ("report", "allure"):
        session.notify(name)


@nox.session
def unit(session: nox.Session) -> None:
    """The unit tests, with branch coverage."""
    _unit_tests(session, *session.posargs)


@nox.session
def lint(session: nox.Session) -> None:
    """Rules and format of the sources (ruff); what can be mended is mended by: -- --fix."""
    _python_m(session, "ruff check", *session.posargs)
    _python_m(session, "ruff format" if session.posargs else "ruff format --check")


@nox.session
def types(session: nox.Session) -> None:
    """Types of sources and tests (mypy --strict)."""
    _python_m(session, "mypy", *session.posargs)


@nox.session
def imports(session: nox.Session) -> None:
    """Directions of imports: layers, and gateway and harness apart (import-linter)."""
    session.run(_script(session, "lint-imports"), *session.posargs, external=True)


@nox.session
def package(session: nox.Session) -> None:
    """Build the wheel, install it outside of the checkout, and run the smoke suite from there."""
    dist = BUILD / "dist"
    _remove(dist)
    _python_m(session, "hatchling build -t wheel -d", dist)
    (wheel,) = dist.glob("*.whl")
    _check_wheel(session, wheel)
    with tempfile.TemporaryDirectory(prefix="gauntlet-") as elsewhere, session.chdir(elsewhere):
        installed = _make_environment(session, Path(elsewhere, "environment"), str(wheel))
        session.run(*(installed, "-m", "pytest", "--pyargs", "suites.smoke", "-q", "-n", "2"), external=True)


@nox.session(name="new-code-coverage")
def new_code_coverage(session: nox.Session) -> None:
    """Coverage of the lines that differ from another branch: -- [BRANCH], `main` unless named."""
    _unit_tests(session)
    branch = session.posargs[0] if session.posargs else "main"
    coverage = str(COVERAGE / "coverage.xml")
    options = (f"--compare-branch={branch}", "--fail-under=90")
    session.run(_script(session, "diff-cover"), coverage, *options, external=True)


@nox.session
def lock(session: nox.Session) -> None:
    """Renew the locked requirements: -- --upgrade for newer versions."""
    words = (
        "uv pip compile --quiet --universal --generate-hashes --no-header --no-annotate --python-version=3.11"
    )
    session.run(
        *words.split(), "--group=dev", "pyproject.toml", "-o", str(LOCK), *session.posargs, external=True
    )


def _suite_tests(session: nox.Session, suite: str, arguments: list[str], *, in_gate: bool = False) -> None:
    evidence = EVIDENCE / f"{suite}.jsonl"
    _remove(evidence)
    if not in_gate:
        _remove(ALLURE_RESULTS)
    spread = "-n 0 -p no:randomly" if suite in MEASURED else "-n 2 --dist worksteal"
    _python_m(
        session,
        f"pytest suites/{suite} {spread}",
        f"--evidence={evidence}",
        f"--alluredir={ALLURE_RESULTS}",
        *arguments,
        success_codes=LEAVES_EVIDENCE if in_gate else [0],
    )


def _unit_tests(session: nox.Session, *arguments: str, in_gate: bool = False) -> None:
    evidence = EVIDENCE / "unit.jsonl"
    _remove(evidence)
    _remove(COVERAGE)
    tolerated = LEAVES_EVIDENCE if in_gate else [0]
    words = "coverage run -m pytest suites/unit -n 2"
    _python_m(session, words, f"--evidence={evidence}", *arguments, success_codes=tolerated)
    _python_m(session, "coverage combine --quiet")
    for form in ("json", "xml"):
        _python_m(session, f"coverage {form} --quiet --fail-under=0 -o", COVERAGE / f"coverage.{form}")
    _python_m(session, "coverage report", success_codes=[0, COVERAGE_TOO_LOW] if in_gate else [0])
    coverage = ("--coverage", COVERAGE / "coverage.json", "--out", EVIDENCE / "artefacts.jsonl")
    _python_m(session, "reports artefact unit-tests --evidence", evidence, *coverage)
    parts = EVIDENCE / "release-files.jsonl"
    _python_m(session, "reports artefact release-files --evidence", evidence, "--root", ROOT, "--out", parts)


def _report(session: nox.Session, release: list[str], *arguments: str) -> None:
    if not EVIDENCE.is_dir():
        session.error("there is no evidence yet: run `nox -s gate` first")
    kills = ["--kills", KILLS] if KILLS.is_file() else []
    places = ("--allure", ALLURE_RESULTS, "--out", REPORT)
    _python_m(session, "reports build --evidence", EVIDENCE, *release, *kills, *places, *arguments)


def _python_m(session: nox.Session, words: str, *arguments: object, **options: Any) -> None:
    """Run `python -m` of the shared environment.

    Bytecode is written whatever the machine says: without it every process takes twice as long to start.
    """
    command = (_python(session), "-m", *words.split(), *map(str, arguments))
    session.run(*command, env={"PYTHONDONTWRITEBYTECODE": None}, external=True, **options)


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
    return _make_environment(session, ENVIRONMENT, "--editable", str(ROOT))


def _script(session: nox.Session, name: str) -> str:
    return str(Path(_python(session)).with_name(name))


def _make_environment(session: nox.Session, folder: Path, *project: str) -> str:
    python = folder / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    wanted = hashlib.sha256(LOCK.read_bytes() + (ROOT / "pyproject.toml").read_bytes()).hexdigest()
    stamp = folder / "gauntlet.stamp"
    if stamp.is_file() and stamp.read_text() == wanted and python.exists():
        return str(python)
    session.log(f"making the environment {folder}")
    _remove(folder)
    if shutil.which("uv"):
        session.run("uv", "venv", "--quiet", f"--python={sys.executable}", str(folder), external=True)
        install = ["uv", "pip", "install", "--quiet", "--compile-bytecode", f"--python={python}"]
    else:
        session.run(sys.executable, "-m", "venv", str(folder), external=True)
        install = [str(python), "-m", "pip", "install", "--quiet"]
    session.run(*install, "--require-hashes", "-r", str(LOCK), external=True)
    session.run(*install, "--no-deps", "--no-build-isolation", *project, external=True)
    stamp.write_text(wanted)
    return str(python)


def _check_wheel(session: nox.Session, wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    typed = {f"{name}/py.typed" for name in PACKAGES if name != "checklists"}
    if missing := sorted((typed | {"checklists/provider-layer.yaml"}) - names):
        session.error(f"the wheel lacks {', '.join(missing)}")


def _allure_command(session: nox.Session) -> list[str] | None:
    on_path = shutil.which("allure")
    if on_path:
        return [on_path]
    wanted = ALLURE_2 if session.posargs == ["2"] else ALLURE_3
    npm = shutil.which("npm")
    if npm is None or (wanted == ALLURE_2 and shutil.which("java") is None):
        return None
    folder = BUILD / wanted.replace("@", "-")
    executable = folder / "node_modules" / ".bin" / "allure"
    if not executable.exists():
        _bring(session, npm, wanted, folder)
    return [str(executable)]


def _bring(session: nox.Session, npm: str, wanted: str, folder: Path) -> None:
    """Install a package of npm, within a time that is bounded: what the registry refuses fails the session at once."""
    options = ("--no-save", "--no-audit", "--no-fund", "--prefer-offline", "--loglevel=error")
    for _attempt in range(NPM_TRIES):
        _remove(folder)
        session.log(f"npm install {wanted}")
        with contextlib.suppress(subprocess.TimeoutExpired):
            command = (npm, "install", *options, "--prefix", str(folder), wanted)
            finished = subprocess.run(command, timeout=NPM_PATIENCE_S, check=False)  # noqa: S603 - our own
            if finished.returncode:
                session.error(f"npm cannot bring {wanted}")
            return
    session.skip(f"NOT RUN: npm has {NPM_TRIES} times not brought {wanted} within {NPM_PATIENCE_S} s")


def _take_out_tracking(session: nox.Session, page: Path) -> None:
    """Take the analytics out of Allure's page: a release report calls nobody."""
    scripts = re.compile(r"<script\b[^>]*>(?:(?!</script>).)*</script>", re.DOTALL)
    trackers = ("googletagmanager.com", "gtag(")
    text = page.read_text(encoding="utf-8")
    kept = scripts.sub(lambda found: "" if any(each in found[0] for each in trackers) else found[0], text)
    if any(each in kept for each in trackers):
        session.error(f"{page} still calls an analytics service")
    page.write_text(kept, encoding="utf-8")


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
