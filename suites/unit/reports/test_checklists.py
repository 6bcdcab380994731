from pathlib import Path

import pytest

from reports.catalogue_files import Demand, Kind, Level
from reports.checklists import Capabilities, Catalogue
from reports.errors import DocumentError
from suites.unit.reports.builders import CHECKLIST_FILE, write_catalogue


def problems(folder: Path) -> list[str]:
    """Return what is wrong with a catalogue, without the folder."""
    with pytest.raises(DocumentError) as caught:
        Catalogue.load(folder)
    return str(caught.value).replace(f"{folder}/", "").splitlines()


def test_bundled_catalogue_is_whole() -> None:
    """The checklists that ship with the harness hold their 479 items."""
    catalogue = Catalogue.load()
    assert {each.id: len(each.items) for each in catalogue.checklists} == {
        "LD": 160,
        "PL": 157,
        "RQ": 50,
        "RS": 28,
        "UB": 84,
    }
    assert len(catalogue) == 479


def test_items_are_read_whole(catalogue_folder: Path) -> None:
    """An item knows its checklist, section, kind, level, needs, thresholds and parent."""
    catalogue = Catalogue.load(catalogue_folder)
    first, second, _, fourth = catalogue
    assert (first.id, first.checklist, first.section, first.needs) == ("XX-001", "XX", "First", ("chat",))
    assert str(first.threshold("latency")) == "< 2 s"
    assert (second.kind, second.level, second.parent) == (Kind.ARTEFACT, Level.SHOULD, "XX-001")
    assert fourth.suites is not None
    assert (fourth.suites.names, fourth.suites.demand) == (("smoke",), Demand.RAN)


def test_blanks_of_the_bundled_checklists_name_their_measurements() -> None:
    """Each figure that a checklist leaves open has the name and the unit of what fills it."""
    blanks = {each.id: (each.blank.measurement, each.blank.unit) for each in Catalogue.load() if each.blank}
    assert blanks == {
        "PL-094": ("concurrent requests", "count"),
        "PL-095": ("requests per minute", "requests/min"),
        "PL-096": ("peak load capacity", "requests/s"),
    }


def test_catalogue_finds_by_id(catalogue_folder: Path) -> None:
    """An item is found by its id, a checklist's title by its letters, and nothing else is."""
    catalogue = Catalogue.load(catalogue_folder)
    assert catalogue.item("XX-003").title == "Somebody has looked"
    assert catalogue.title("XX") == "Example"
    assert "XX-003" in catalogue
    assert "XX-009" not in catalogue
    with pytest.raises(KeyError, match="no checklist has an item XX-009"):
        catalogue.item("XX-009")
    with pytest.raises(KeyError, match="XX-003 has no threshold 'latency'"):
        catalogue.item("XX-003").threshold("latency")


def test_vocabulary_is_read_alone(catalogue_folder: Path) -> None:
    """The capabilities are two groups of words, and a word is found in either."""
    capabilities = Capabilities.load(catalogue_folder)
    assert capabilities.granted == {"logs": "the log can be read"}
    assert "chat" in capabilities
    assert "flight" not in capabilities


def test_digest_changes_with_any_file(tmp_path: Path) -> None:
    """Equal catalogues have equal digests wherever they lie, and any change shows."""
    digests = [
        Catalogue.load(write_catalogue(tmp_path / "a")).digest,
        Catalogue.load(write_catalogue(tmp_path / "b")).digest,
        Catalogue.load(write_catalogue(tmp_path / "c", example=f"{CHECKLIST_FILE}# end\n")).digest,
    ]
    assert digests[0] == digests[1] != digests[2]


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        pytest.param(
            "id: XX-002", "id: YY-002", "YY-002 must begin with XX-, as the checklist is XX", id="prefix"
        ),
        pytest.param("id: XX-002", "id: XX-2", "should match pattern", id="pattern"),
        pytest.param("id: XX-002", "id: XX-001", "XX-001 stands here twice", id="twice"),
        pytest.param("id: XX-003", "id: XX-000", "XX-000 comes after XX-002: ids ascend", id="order"),
        pytest.param("parent: XX-001", "parent: XX-004", "XX-004 is no earlier item", id="parent"),
        pytest.param(
            "kind: attest", "kind: guess", "should be 'check', 'artefact' or 'attest', not 'guess'", id="kind"
        ),
        pytest.param(
            "level: may", "level: shall", "should be 'must', 'should' or 'may', not 'shall'", id="level"
        ),
        pytest.param("[chat]", "[chat, fly]", "'fly' is no capability of capabilities.yaml", id="capability"),
        pytest.param("unit: s", "unit: furlong", "not 'furlong'", id="unit"),
        pytest.param("{below: 2,", "{below: 2, above: 1,", "give exactly one of below", id="two-figures"),
        pytest.param("title: Somebody has looked", "title: ''", "must not be empty", id="no-title"),
        pytest.param("name: Second", "name: First", "section 'First' stands here twice", id="section"),
        pytest.param("kind: check", "kind: artefact", "needs are those of a check", id="needs"),
        pytest.param(
            "check\n        level: may", "attest\n        level: may", "no suite can answer it", id="suites"
        ),
        pytest.param("names: [smoke]", "names: []", "must not be empty", id="no-suite"),
        pytest.param(
            "title: Somebody has looked",
            "title: Looked\n        blank: {measurement: looks, unit: count}",
            "no measurement can fill its blank",
            id="blank",
        ),
        pytest.param(
            "title: The whole suite ran",
            "title: Ran\n        blank: {measurement: runs, unit: times}",
            "not 'times'",
            id="blank-unit",
        ),
    ],
)
def test_broken_item_is_refused(tmp_path: Path, old: str, new: str, problem: str) -> None:
    """Whatever breaks a rule of the catalogue is told with its line."""
    assert old in CHECKLIST_FILE
    (found,) = problems(write_catalogue(tmp_path, example=CHECKLIST_FILE.replace(old, new, 1)))
    assert problem.lower() in found.lower()
    assert int(found.split(":")[1]) > 1


def test_ids_are_unique_over_files(tmp_path: Path) -> None:
    """Two files cannot claim the same letters, and so not the same ids."""
    (found,) = problems(write_catalogue(tmp_path, second=CHECKLIST_FILE))
    assert found.startswith("second.yaml:1: checklist: XX is taken by ")


def test_problems_of_all_files_are_told(tmp_path: Path) -> None:
    """One broken file does not hide another."""
    folder = write_catalogue(tmp_path, one="checklist: [", two="checklist: 2")
    assert {line.partition(":")[0] for line in problems(folder)} == {"one.yaml", "two.yaml"}


def test_ambiguous_capability_is_refused(tmp_path: Path) -> None:
    """A word is either the gateway's to offer or somebody's to grant."""
    text = "offered:\n  logs: a\ngranted:\n  logs: b\n"
    assert problems(write_catalogue(tmp_path, capabilities=text)) == [
        "capabilities.yaml:4: granted.logs: is already offered"
    ]


def test_folder_without_vocabulary_is_no_catalogue(tmp_path: Path) -> None:
    """A folder that is no catalogue, or is not there, is named."""
    with pytest.raises(DocumentError, match=r"holds no capabilities.yaml, so it is no catalogue"):
        Catalogue.load(tmp_path)
    with pytest.raises(DocumentError, match="cannot be read: No such file"):
        Catalogue.load(tmp_path / "absent")
