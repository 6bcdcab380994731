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
