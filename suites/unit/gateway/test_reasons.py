from pathlib import Path

import pytest

from gateway.kernel.codes import ReasonCode
from gateway.kernel.reasons import REASONS


def test_table_is_total() -> None:
    """Every reason code has its row."""
    assert set(REASONS) == set(ReasonCode)


@pytest.mark.parametrize("code", ReasonCode)
def test_row_is_fit_to_be_shown(code: ReasonCode) -> None:
    """Every row holds an error status, whole sentences, and the path of a runbook or none."""
    reason = REASONS[code]

    assert 400 <= reason.status <= 599
    assert all(text.endswith(".") for text in (reason.user_text, reason.admin_text, reason.recovery_hint))
    assert reason.runbook is None or reason.runbook.startswith("/docs/runbooks/")


@pytest.mark.parametrize("code", [code for code in ReasonCode if REASONS[code].severity != "info"])
def test_serious_reason_has_a_runbook(code: ReasonCode) -> None:
    """What an operator must act on says where the steps are written, but for faults of the gateway itself."""
    assert REASONS[code].runbook or code is ReasonCode.INTERNAL_ERROR


@pytest.mark.parametrize("runbook", sorted({reason.runbook for reason in REASONS.values() if reason.runbook}))
def test_runbook_is_there(runbook: str) -> None:
    """Every runbook that an error points to is a page of the documentation that names the code of that error."""
    page = Path(__file__).parents[3] / runbook.removeprefix("/")
    text = page.read_text(encoding="utf-8")
    codes = [code for code, reason in REASONS.items() if reason.runbook == runbook]
    assert [code for code in codes if f"`{code}`" not in text] == []
