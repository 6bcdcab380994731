from dataclasses import dataclass
from math import ceil

from gateway.kernel.codes import Reason, ReasonCode
from gateway.kernel.limits import Limits
from gateway.kernel.reasons import REASONS


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderFailure:
    """Why one provider did not answer one request.

    `detail` is for operators. `status` is the provider's HTTP status, if it sent one. `retry_after` is the
    header as the provider sent it (seconds or a date, RFC 9110 section 10.2.3), `wait_s` the same to the fraction of a
    second. `limits` are those that the provider told with the failure.
    """

    reason: ReasonCode
    detail: str
    status: int | None = None
    param: str | None = None
    retry_after: str | None = None
    limits: Limits | None = None
    wait_s: float | None = None


class GatewayError(Exception):
    """Anything that the gateway tells its callers or its operator as an error.

    `detail` states the particulars; whether callers see them is for the table of reasons to say. `param` names
    the field at fault, as in `messages.0.role`.
    """

    def __init__(self, code: ReasonCode, detail: str = "", *, param: str | None = None) -> None:
        super().__init__(detail or REASONS[code].admin_text)
        self.code = code
        self.detail = detail
        self.param = param

    @property
    def reason(self) -> Reason:
        return REASONS[self.code]

    @property
    def user_message(self) -> str:
        return self.detail if self.detail and self.reason.detail_is_public else self.reason.user_text

    @property
    def admin_message(self) -> str:
        if self.detail and self.reason.detail_is_public:
            return self.detail
        return f"{self.reason.admin_text} {self.detail}".rstrip()


class AccessError(GatewayError):
    """The caller may not do this."""


class RequestError(GatewayError):
    """The caller's request cannot be served as it stands."""


class DrainingError(GatewayError):
    """The gateway is shutting down."""

    def __init__(self) -> None:
        super().__init__(ReasonCode.DRAINING)


class ProviderError(GatewayError):
    """One provider failed, and its failure is the answer."""

    def __init__(self, failure: ProviderFailure) -> None:
        super().__init__(failure.reason, failure.detail, param=failure.param)
        self.failure = failure


class ExhaustedError(GatewayError):
    """Every provider of a chain failed; `failures` are in the order of the attempts."""

    def __init__(self, failures: tuple[ProviderFailure, ...]) -> None:
        tried = "; ".join(f"{failure.reason}: {failure.detail}" for failure in failures)
        super().__init__(ReasonCode.ALL_PROVIDERS_FAILED, tried)
        self.failures = failures

    @property
    def retry_after(self) -> str | None:
        """When the first of them may be well again, in whole seconds; None where none has told."""
        waits = [failure.wait_s for failure in self.failures if failure.wait_s is not None]
        return str(ceil(min(waits))) if waits else None


class SettingsError(Exception):
    """An environment variable or argument is wrong; the text names it."""
