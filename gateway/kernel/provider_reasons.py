"""What goes wrong at a provider, or on the way to it; another provider may answer instead."""

from functools import partial

from gateway.kernel.codes import Reason, ReasonCode
from gateway.kernel.runbooks import AUTH, BUDGET, LATENCY, OFFLINE

_NOT_AVAILABLE = "The model provider is not available at the moment."

_fault = partial(Reason, severity="warning", moves_on=True)

PROVIDER_REASONS = {
    ReasonCode.CONNECTION_FAILED: _fault(
        502,
        "The model provider cannot be reached at the moment.",
        "No connection to the provider could be made, or it closed before answering.",
        "Check that the provider runs and that its address and the network path are right.",
        runbook=OFFLINE,
        severity="critical",
        retryable=True,
    ),
    ReasonCode.PROVIDER_OFFLINE: _fault(
        503,
        _NOT_AVAILABLE,
        "The provider is known to be offline, so it was not called.",
        "Bring the provider back, or put another one into the chain; it is called again once a probe succeeds.",
        runbook=OFFLINE,
        severity="critical",
        retryable=True,
    ),
    ReasonCode.PROVIDER_DEGRADED: _fault(
        502,
        "The model provider has trouble answering at the moment.",
        "The provider answers, but with errors or too slowly.",
        "Look at the provider's status page or log; move traffic if it lasts.",
        runbook=LATENCY,
        retryable=True,
    ),
    ReasonCode.TIMEOUT: _fault(
        504,
        "The model provider took too long to answer.",
        "The provider exceeded one of its configured waits.",
        "Look at the provider's latency; raise its timeouts only if the waits are expected.",
        runbook=LATENCY,
        retryable=True,
    ),
    ReasonCode.STREAM_INTERRUPTED: _fault(
        502,
        "The answer broke off before it was complete.",
        "The provider's answer ended without its terminal event.",
        "Ask again; if it recurs, look at the provider's log and at proxies on the way.",
        runbook=OFFLINE,
        severity="critical",
        retryable=True,
    ),
    ReasonCode.INVALID_RESPONSE: _fault(
        502,
        "The model provider gave an answer that could not be understood.",
        "The provider's answer does not follow its own format.",
        "Check that the base URL leads to the provider itself and that its dialect is right.",
        runbook=OFFLINE,
        severity="critical",
    ),
    ReasonCode.HTTP_ERROR: _fault(
        502,
        "The model provider refused the request.",
        "The provider answered with an unexpected HTTP status.",
        "Check the provider's base URL and the models that are configured for it.",
        runbook=OFFLINE,
    ),
    ReasonCode.RATE_LIMITED: _fault(
        429,
        "There are too many requests at the moment; please try again shortly.",
        "A rate limit of requests or tokens is reached, at the provider or in the gateway.",
        "Wait as long as Retry-After says, spread the load, or have the limit raised.",
        runbook=LATENCY,
        openai_type="rate_limit_error",
        retryable=True,
    ),
    ReasonCode.QUOTA_EXHAUSTED: _fault(
        429,
        "The allowance for this model is used up.",
        "The account at the provider has no credit or quota left; waiting does not help.",
        "Top up the account or raise its spend limit at the provider.",
        runbook=BUDGET,
        severity="critical",
        openai_type="insufficient_quota",
    ),
    ReasonCode.AUTH_ERROR: _fault(
        502,
        _NOT_AVAILABLE,
        "The provider rejected the gateway's credentials.",
        "Replace the provider's key, or have the missing permission granted.",
        runbook=AUTH,
        severity="critical",
    ),
    ReasonCode.MISSING_API_KEY: _fault(
        502,
        _NOT_AVAILABLE,
        "The environment variable for the provider's key is not set.",
        "Set the environment variable that holds the provider's key and restart.",
        runbook=AUTH,
    ),
    ReasonCode.NO_ENDPOINT: _fault(
        502,
        _NOT_AVAILABLE,
        "The provider has no base URL: neither the configuration nor the environment names one.",
        "Set base_url, or the environment variable that holds the provider's address.",
        runbook=OFFLINE,
    ),
    ReasonCode.MODEL_UNAVAILABLE: _fault(
        502,
        "This model is not available at the moment.",
        "The provider does not serve the upstream model that is configured.",
        "Correct upstream_model, or make the model available at the provider.",
        runbook=OFFLINE,
    ),
    ReasonCode.ALL_PROVIDERS_FAILED: Reason(
        503,
        "No model provider could answer; please try again later.",
        "Every provider of the chain failed.",
        "Test the providers of the chain one by one.",
        runbook=OFFLINE,
        severity="critical",
        retryable=True,
    ),
}
