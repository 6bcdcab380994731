from datetime import date
from pathlib import Path

import pytest

from reports.checklists import Catalogue
from reports.errors import DocumentError
from reports.release import BUNDLED, Release, load_release
from suites.unit.reports.builders import release

SIGN_OFF = "sign_off: {roles: [operations, security]}\n"
WAIVER = {
    "item": "XX-001",
    "owner": "A",
    "approver": "B",
    "issue": "OPS-7",
    "reason": "slow",
    "scope": "one",
    "added": "2026-11-01",
    "expires": "2026-12-01",
}


def load(folder: Path, text: str) -> Release:
    path = folder / "releases" / "release.yaml"
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return load_release(path, Catalogue.load(folder))


def problems(folder: Path, text: str) -> list[str]:
    """Return what is wrong with a release file, without its path."""
    with pytest.raises(DocumentError) as caught:
        load(folder, text)
    return str(caught.value).replace(f"{folder}/releases/release.yaml:", "").splitlines()


def waiver_file(**changes: str) -> str:
    fields = "".join(f"    {name}: {value!r}\n" for name, value in (WAIVER | changes).items())
    return f"release: x\nscope: []\nwaivers:\n  -\n{fields}{SIGN_OFF}"


@pytest.mark.parametrize("name", BUNDLED)
def test_bundled_release_is_unsigned(name: str) -> None:
    """The release files that ship are valid, have a scope, and nobody has signed them."""
    bundled = load_release(name, Catalogue.load())
    assert len(bundled.scope) > 10
    assert (bundled.attestations, bundled.waivers, bundled.acknowledged) == ((), (), ())
    assert "release manager" in bundled.roles


def test_reference_is_judged_by_four_checklists() -> None:
    """The bundled gateway is judged by its probes, models, providers, routing, validation and unit tests."""
    scope = set(load_release("reference", Catalogue.load()).scope)
    assert scope >= {"PL-008", "PL-118", "UB-006", "UB-035", "LD-042", "RQ-046"}
    assert {item[:2] for item in scope} == {"LD", "PL", "RQ", "UB"}


@pytest.mark.parametrize(
    ("scope", "expected"),
    [
        pytest.param("[{items: [XX-004, XX-001]}]", ("XX-001", "XX-004"), id="items"),
        pytest.param("[{items: [XX-002..XX-004]}]", ("XX-002", "XX-003", "XX-004"), id="range"),
        pytest.param("[{checklist: XX}]", ("XX-001", "XX-002", "XX-003", "XX-004"), id="checklist"),
        pytest.param("[{checklist: XX, sections: [Second]}]", ("XX-003", "XX-004"), id="section"),
        pytest.param("[{items: [XX-001]}, {checklist: XX, sections: [First]}]", ("XX-001", "XX-002"), id="both"),
        pytest.param("[]", (), id="empty"),
    ],
)  # fmt: skip
def test_scope_is_resolved(catalogue_folder: Path, scope: str, expected: tuple[str, ...]) -> None:
    """Items, ranges, checklists and sections become ids, each once, in the order of the catalogue."""
    loaded = load(catalogue_folder, f"release: x\nscope: {scope}\n{SIGN_OFF}")
    assert loaded == release(*expected, name="x", roles=("operations", "security"))


@pytest.mark.parametrize(
    ("scope", "problem"),
    [
        pytest.param("[{items: [XX-009]}]", "scope[0].items[0]: no checklist has an item XX-009", id="unknown"),
        pytest.param("[{items: [XX-003..XX-001]}]", "XX-003..XX-001 is no range: it must ascend", id="descending"),
        pytest.param("[{items: [XX-1]}]", "scope[0].items[0]: should match pattern", id="pattern"),
        pytest.param("[{checklist: ZZ}]", "scope[0].checklist: there is no checklist 'ZZ'", id="checklist"),
        pytest.param("[{checklist: XX, sections: [Third]}]", "XX has no section 'Third'", id="section"),
        pytest.param("[{}]", "scope[0]: give either items or a checklist", id="nothing"),
        pytest.param("[{items: [XX-001], sections: [First]}]", "sections are those of a checklist", id="mixed"),
    ],
)  # fmt: skip
def test_broken_scope_is_refused(catalogue_folder: Path, scope: str, problem: str) -> None:
    """A scope that names what there is not is told with its line and field."""
    (found,) = problems(catalogue_folder, f"release: x\nscope: {scope}\n{SIGN_OFF}")
    assert found.startswith("2: ")
    assert problem in found


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        pytest.param({"approver": "a"}, "owner and approver are both A", id="same-person"),
        pytest.param({"expires": "2026-11-01"}, "expires 2026-11-01, which is not after", id="no-time"),
        pytest.param({"expires": "2027-05-01"}, "lasts 181 days; 180 is the most", id="too-long"),
        pytest.param({"item": "XX-009"}, "no checklist has an item XX-009", id="unknown"),
        pytest.param({"item": "XX-003"}, "XX-003 is a person's to sign, and cannot be waived", id="attest"),
        pytest.param({"owner": ""}, "waivers[0].owner: must not be empty", id="no-owner"),
        pytest.param({"mood": "good"}, "waivers[0].mood: is no field that is known here", id="field"),
        pytest.param({"expires": "soon"}, "waivers[0].expires: should be a valid date", id="no-date"),
    ],
)
def test_doubtful_waiver_is_refused(catalogue_folder: Path, changes: dict[str, str], problem: str) -> None:
    """A waiver without owner, approver, reason or end accepts nothing."""
    (found,) = problems(catalogue_folder, waiver_file(**changes))
    assert problem in found


@pytest.mark.parametrize("field", sorted(WAIVER))
def test_waiver_needs_every_field(catalogue_folder: Path, field: str) -> None:
    """Only `test` may be left out of a waiver."""
    text = "".join(
        line for line in waiver_file().splitlines(keepends=True) if not line.startswith(f"    {field}:")
    )
    assert problems(catalogue_folder, text) == [f"5: waivers[0].{field}: is required"]


def test_signature_speaks_for_attest_items(catalogue_folder: Path) -> None:
    """A signature names its role, and the attest items that it speaks for, as ranges too."""
    signature = (
        "{role: security, name: S, on: 2026-11-21, verdict: approved, items: [XX-003], statement: seen}"
    )
    text = f"release: x\nscope: []\nsign_off:\n  roles: [security]\n  signatures: [{signature}]\n"
    loaded = load(catalogue_folder, text)
    assert [each.items for each in loaded.attestations] == [("XX-003",)]


@pytest.mark.parametrize(
    ("signature", "problem"),
    [
        pytest.param("role: cook, items: []", "'cook' is none of the roles that sign", id="role"),
        pytest.param(
            "role: security, items: [XX-001]", "XX-001 is of kind check: only an attest item", id="check"
        ),
        pytest.param("role: security, items: [XX-009]", "no checklist has an item XX-009", id="unknown"),
    ],
)
def test_doubtful_signature_is_refused(catalogue_folder: Path, signature: str, problem: str) -> None:
    """Nobody signs in a role that is not asked for, nor for an item that a machine judges."""
    whole = f"{{name: S, on: 2026-11-21, verdict: approved, statement: seen, {signature}}}"
    text = f"release: x\nscope: []\nsign_off:\n  roles: [security]\n  signatures:\n    - {whole}\n"
    (found,) = problems(catalogue_folder, text)
    assert found.startswith("6: ")
    assert problem in found


def test_roles_are_unlike(catalogue_folder: Path) -> None:
    """A role signs once."""
    text = "release: x\nscope: []\nsign_off: {roles: [a, a]}\n"
    assert problems(catalogue_folder, text) == ["3: sign_off.roles: names a role twice"]


def test_warning_is_acknowledged_by_pattern(catalogue_folder: Path) -> None:
    """A pattern acknowledges the warnings that it matches, from its day on."""
    entry = "{warning: '*degraded*', by: C, on: 2026-11-21, reason: known}"
    loaded = load(catalogue_folder, f"release: x\nscope: []\nacknowledged: [{entry}]\n{SIGN_OFF}")
    acknowledging = loaded.acknowledging
    known = acknowledging("ollama is degraded: slow", date(2026, 11, 21))
    assert known is not None
    assert known.by == "C"
    assert acknowledging("ollama is degraded: slow", date(2026, 11, 20)) is None
    assert acknowledging("ollama is offline", date(2026, 11, 21)) is None
