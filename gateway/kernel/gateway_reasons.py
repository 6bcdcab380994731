"""What the gateway itself refuses, and what goes wrong within it."""

from functools import partial

from gateway.kernel.codes import Reason, ReasonCode
from gateway.kernel.runbooks import AUTH, BUDGET, EGRESS, INTERNAL

_refusal = partial(Reason, severity="warning", openai_type="authentication_error", runbook=AUTH)

GATEWAY_REASONS = {
    ReasonCode.AUTHENTICATION_REQUIRED: _refusal(
        401,
        "An API key is required.",
        "The request carries neither an Authorization: Bearer header nor X-Admin-API-Key.",
        "Send the key as Authorization: Bearer.",
    ),
    ReasonCode.INVALID_API_KEY: _refusal(
        401,
        "This API key is not valid.",
        "The presented key is in neither GATEWAY_USER_KEYS nor GATEWAY_ADMIN_KEYS.",
        "Check the key, or ask for a new one.",
    ),
    ReasonCode.ADMIN_KEY_REQUIRED: _refusal(
        401,
        "An admin key is required.",
        "The request carries neither X-Admin-API-Key nor an Authorization: Bearer header.",
        "Send the key as X-Admin-API-Key or Authorization: Bearer.",
    ),
    ReasonCode.INVALID_ADMIN_KEY: _refusal(
        401,
        "This admin key is not valid.",
        "The presented key is not in GATEWAY_ADMIN_KEYS.",
        "Check the key against GATEWAY_ADMIN_KEYS.",
    ),
    ReasonCode.CONTROL_PLANE_NOT_CONFIGURED: _refusal(
        403,
        "Administration is switched off.",
        "GATEWAY_ADMIN_KEYS is not set, so every operation is refused.",
        "Set GATEWAY_ADMIN_KEYS and restart to switch it on.",
        openai_type="permission_error",
    ),
    ReasonCode.PERMISSION_DENIED: _refusal(
        403,
        "This key does not allow that.",
        "A user key was presented for an operation that takes an admin key.",
        "Use an admin key.",
        openai_type="permission_error",
    ),
    ReasonCode.SSRF_BLOCKED: Reason(
        400,
        "This address may not be called.",
        "The egress guard refused an address that is private, local, or not on the allowlist.",
        "Use a public address, or have the host put on the allowlist of the egress guard.",
        runbook=EGRESS,
        severity="critical",
        openai_type="invalid_request_error",
    ),
    ReasonCode.BUDGET_EXCEEDED: Reason(
        402,
        "The budget for this period is used up.",
        "The hard limit of a budget would be exceeded by this request, so no provider was called.",
        "Raise the hard limit, or wait until the next period of the budget begins.",
        runbook=BUDGET,
        severity="critical",
        openai_type="insufficient_quota",
    ),
    ReasonCode.CREDITS_EXHAUSTED: Reason(
        402,
        "Your credits are used up.",
        "The caller's balance does not cover the estimated cost, so no provider was called.",
        "Top up the credits, or choose a cheaper model.",
        runbook=BUDGET,
        severity="warning",
        openai_type="insufficient_quota",
    ),
    ReasonCode.DRAINING: Reason(
        503,
        "The service is restarting; please try again.",
        "The gateway has received SIGTERM: it drains and accepts no new inference.",
        "Send the request to another instance, or again once this one is back.",
        severity="info",
        retryable=True,
    ),
    ReasonCode.INTERNAL_ERROR: Reason(
        500,
        "Something went wrong on our side.",
        "An unexpected exception occurred in the gateway; its traceback is in the log.",
        "Find the request id in the gateway's log and report it.",
        runbook=INTERNAL,
        severity="critical",
    ),
}
