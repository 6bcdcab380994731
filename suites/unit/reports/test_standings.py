import pytest

from reports.observations import Compared
from reports.standings import in_words, standings, tally
from suites.unit.reports.builders import result
from suites.unit.reports.plotted import compared


@pytest.mark.parametrize(
    ("found", "words"),
    [
        pytest.param(compared(), "slower by 12 to 18 %", id="slower"),
        pytest.param(
            compared(verdict="faster", low_percent=-7.51, high_percent=-3.1),
            "faster by 3.1 to 7.5 %",
            id="faster",
        ),
        pytest.param(
            compared(verdict="no different", low_percent=-1.3, high_percent=0.9),
            "no different (\N{MINUS SIGN}1.3 to 0.9 %)",
            id="same",
        ),
        pytest.param(
            compared(verdict="too noisy to say", low_percent=-40.2, high_percent=22),
            "too noisy to say (\N{MINUS SIGN}40 to 22 %)",
            id="noisy",
        ),
        pytest.param(
            compared(verdict="no different", low_percent=-0.04, high_percent=9.9),
            "no different (0.0 to 9.9 %)",
            id="hardly",
        ),
        pytest.param(Compared(figure="P99", verdict="none saved"), "none saved", id="none-saved"),
    ],
)
def test_verdict_is_told_with_its_extent(found: Compared, words: str) -> None:
    """A reader learns not only that it got slower but by how much, from the least to the most."""
    assert in_words(found) == words


def test_what_got_slower_comes_first() -> None:
    """The slower figures are met first, whichever test measured them."""
    same = compared(figure="median", verdict="no different")
    found = standings((result("", compared=(same,)), result("", compared=(compared(),))))
    assert [each.compared.figure for each in found] == ["P99 latency", "median"]
    assert tally(found) == "of 2 figures, 1 slower and 1 no different"


def test_agreement_needs_no_numbers() -> None:
    """Where all figures stand alike, that is what is said."""
    same = compared(verdict="no different")
    assert tally(standings((result("", compared=(same, same)),))) == "no different"
