from typing import Literal

from gateway.kernel.clock import Clock
from gateway.kernel.codes import ReasonCode
from gateway.kernel.errors import GatewayError, ProviderFailure
from gateway.kernel.logs import Log
from gateway.policy.fallback import Candidate
from gateway.schema.usage import Usage

Outcome = Literal["answered", "failed", "abandoned"]


class Account:
    """What becomes of one request: written down as it happens, logged once when it is over."""

    def __init__(self, kind: str, model: str, *, stream: bool, clock: Clock, log: Log) -> None:
        self._kind = kind
        self._model = model
        self._stream = stream
        self._clock = clock
        self._log = log
        self._began_s = clock.monotonic_s()
        self._first_content_s: float | None = None
        self._attempts = 0
        self._answered_by: Candidate | None = None
        self._usage: Usage | None = None
        self._closed = False

    def note_attempt(self) -> None:
        self._attempts += 1

    def note_failure(self, candidate: Candidate, failure: ProviderFailure) -> None:
        self._log.warning(
            "attempt failed",
            provider=candidate.provider.name,
            model=candidate.model.name,
            reason_code=failure.reason,
            detail=failure.detail,
            upstream_status=failure.status,
        )

    def note_answer(self, candidate: Candidate) -> None:
        """Notes who answers, the last of several; the first content is there as soon as anybody does."""
        self._answered_by = candidate
        if self._first_content_s is None:
            self._first_content_s = self._clock.monotonic_s()

    def note_usage(self, usage: Usage | None) -> None:
        self._usage = usage or self._usage

    def close(self, error: BaseException | None = None) -> None:
        """Logs the line of this request; further calls do nothing."""
        if self._closed:
            return
        self._closed = True
        outcome, code = _outcome_of(error)
        usage, answered_by = self._usage, self._answered_by
        self._log.info(
            self._kind,
            outcome=outcome,
            reason_code=code,
            model=self._model,
            answered_model=answered_by.model.name if answered_by else None,
            provider=answered_by.provider.name if answered_by else None,
            stream=self._stream,
            attempts=self._attempts,
            first_content_ms=self._since_start_ms(self._first_content_s),
            duration_ms=self._since_start_ms(self._clock.monotonic_s()),
            prompt_tokens=usage.prompt_tokens if usage else None,
            completion_tokens=usage.completion_tokens if usage else None,
        )

    def _since_start_ms(self, moment_s: float | None) -> float | None:
        return None if moment_s is None else round((moment_s - self._began_s) * 1000, 3)


def _outcome_of(error: BaseException | None) -> tuple[Outcome, ReasonCode | None]:
    if error is None:
        return "answered", None
    if isinstance(error, GatewayError):
        return "failed", error.code
    if isinstance(error, Exception):
        return "failed", ReasonCode.INTERNAL_ERROR
    return "abandoned", None
