from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as some

from gateway.kernel.limits import Limits, Window
from gateway.policy.stated_wait import stated_wait_s

NOW = datetime(2026, 10, 21, 7, 28, 0, tzinfo=UTC)
SOON = "Wed, 21 Oct 2026 07:28:30 GMT"
PAST = "Wed, 21 Oct 2026 07:27:00 GMT"


@pytest.mark.parametrize(
    ("headers", "wait_s"),
    [
        pytest.param({"retry-after": "3"}, 3, id="seconds"),
        pytest.param({"retry-after": "0"}, 0, id="at once"),
        pytest.param({"retry-after": "1.25"}, 1.25, id="fraction"),
        pytest.param({"retry-after": " 3 "}, 3, id="blanks"),
        pytest.param({"retry-after": SOON}, 30, id="date"),
        pytest.param({"retry-after": "Wednesday, 21-Oct-26 07:28:30 GMT"}, 30, id="old date"),
        pytest.param({"retry-after": "Wed Oct 21 07:28:30 2026"}, 30, id="date of C"),
        pytest.param({"retry-after": "Wed, 21 Oct 2026 09:28:30 +0200"}, 30, id="date elsewhere"),
        pytest.param({"retry-after": PAST}, 0, id="past date"),
        pytest.param({"retry-after-ms": "250"}, 0.25, id="milliseconds"),
        pytest.param({"x-ms-retry-after-ms": "1500.5"}, 1.5005, id="milliseconds of Azure"),
        pytest.param({"retry-after": "86400"}, 86_400, id="a day"),
        pytest.param({"retry-after": "9999999999"}, 2_678_400, id="for ever"),
        pytest.param({"retry-after": "-1"}, None, id="negative"),
        pytest.param({"retry-after": "soon"}, None, id="no time"),
        pytest.param({"retry-after": "nan"}, None, id="not a number"),
        pytest.param({"retry-after": "1e3"}, None, id="scientific"),
        pytest.param({"retry-after": "9" * 400}, None, id="absurd"),
        pytest.param({"retry-after": "1 Jan 2000 00:00:00 +9999999999999"}, None, id="absurd zone"),
        pytest.param({"retry-after": "1 Jan 9999 00:00:00 -2300"}, 2_678_400, id="end of time"),
        pytest.param({"retry-after": "31 Dec 9999 23:00:00 -2300"}, None, id="beyond the end of time"),
        pytest.param({"retry-after": ""}, None, id="empty"),
        pytest.param({}, None, id="absent"),
    ],
)
def test_wait_is_read_in_all_its_forms(headers: dict[str, str], wait_s: float | None) -> None:
    """A provider is understood to the millisecond, whatever way it says it; what is no wait is none."""
    assert stated_wait_s(headers, None, NOW) == wait_s


@pytest.mark.parametrize(
    ("headers", "told", "wait_s"),
    [
        pytest.param({"retry-after": "1", "retry-after-ms": "250"}, None, 0.25, id="rounded up"),
        pytest.param({"retry-after": "1", "retry-after-ms": "1900"}, None, 1.9, id="rounded down"),
        pytest.param({"retry-after": "30", "retry-after-ms": "20"}, None, 30, id="seconds longer"),
        pytest.param({"retry-after": "3", "retry-after-ms": "20000"}, None, 20, id="milliseconds longer"),
        pytest.param(
            {"retry-after": SOON, "retry-after-ms": "29600"}, None, 29.6, id="date and milliseconds"
        ),
        pytest.param({"retry-after": "-1", "retry-after-ms": "20"}, None, 0.02, id="one is wrong"),
        pytest.param(
            {"retry-after-ms": "x", "x-ms-retry-after-ms": "20"}, None, 0.02, id="one of two is wrong"
        ),
        pytest.param({"retry-after-ms": "250"}, "1", 0.25, id="told again, rounded"),
        pytest.param({"retry-after": SOON}, SOON, 30, id="date told again"),
        pytest.param({"retry-after": "2"}, "47", 47, id="body longer"),
    ],
)
def test_finer_statement_holds_unless_contradicted(
    headers: dict[str, str], told: str | None, wait_s: float
) -> None:
    """Of two statements the finer is taken; where they are not the same wait, the longer."""
    assert stated_wait_s(headers, told, NOW) == wait_s


@pytest.mark.parametrize(
    ("told", "wait_s"), [("46.5", 46.5), ("47", 47), ("0", 0), (SOON, 30), ("soon", None)]
)
def test_wait_may_stand_in_the_body(told: str, wait_s: float | None) -> None:
    """Gemini says it in the body only."""
    assert stated_wait_s({}, told, NOW) == wait_s


@pytest.mark.parametrize(
    ("limits", "wait_s"),
    [
        pytest.param(
            Limits(requests=Window(10, 0, 360), tokens=Window(10, 0, 1)), 360, id="both are used up"
        ),
        pytest.param(
            Limits(requests=Window(10, 3, 360), tokens=Window(10, 0, 0.02)), 0.02, id="one is used up"
        ),
        pytest.param(Limits(requests=Window(10, 1, 360)), None, id="none is used up"),
        pytest.param(Limits(requests=Window(10, None, 360)), None, id="rest unknown"),
        pytest.param(Limits(requests=Window(10, 0)), None, id="end unknown"),
    ],
)
def test_used_up_limit_is_a_hint(limits: Limits, wait_s: float | None) -> None:
    """Where nothing is stated, a limit of which nothing remains says when it is whole again."""
    assert stated_wait_s({}, None, NOW, limits) == wait_s


def test_statement_counts_more_than_a_hint() -> None:
    """Who says 0 means 0, whatever the limits look like."""
    assert stated_wait_s({"retry-after": "0"}, None, NOW, Limits(requests=Window(10, 0, 360))) == 0


STRANGE = some.text("0123456789 .,:+-eJanGMT\u0663\x00", max_size=30)


@given(
    some.dictionaries(some.sampled_from(["retry-after", "retry-after-ms"]), STRANGE), some.none() | STRANGE
)
def test_no_text_is_too_strange(headers: dict[str, str], told: str | None) -> None:
    """Whatever a provider says, the wait is none, or one that can be waited for."""
    wait_s = stated_wait_s(headers, told, NOW)

    assert wait_s is None or 0 <= wait_s <= 31 * 86_400
