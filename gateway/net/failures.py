"""What can go wrong between the gateway and a provider, in words."""

from gateway.kernel.codes import ReasonCode
from gateway.kernel.errors import ProviderFailure


def _failure(reason: ReasonCode, detail: str) -> ProviderFailure:
    return ProviderFailure(reason=reason, detail=detail)


UNRESOLVED = _failure(ReasonCode.CONNECTION_FAILED, "The host name could not be resolved.")
NO_TLS = _failure(ReasonCode.CONNECTION_FAILED, "The TLS connection could not be made.")
UNCONNECTED = _failure(ReasonCode.CONNECTION_FAILED, "The connection could not be made.")
NOT_HTTP = _failure(ReasonCode.INVALID_RESPONSE, "The answer is not proper HTTP.")
GARBLED = _failure(ReasonCode.STREAM_INTERRUPTED, "The body of the answer is not proper HTTP.")
NOT_INFLATED = _failure(ReasonCode.STREAM_INTERRUPTED, "The body cannot be decompressed as its head says.")


def lost(*, reset: bool, begun: bool, kept: bool) -> ProviderFailure:
    """Says how a connection was lost under a request.

    `begun`: the head of the answer was there. `kept`: the connection had served earlier requests. A provider closes
    such a one when it likes, maybe before it has seen the request and maybe after; only the words tell, for nobody
    may send it again in secret (RFC 9110, section 9.2.2).
    """
    how = "reset" if reset else "closed"
    if begun:
        return _failure(ReasonCode.STREAM_INTERRUPTED, f"The provider {how} the connection while answering.")
    since = ", which was kept from an earlier request" if kept else ""
    return _failure(ReasonCode.CONNECTION_FAILED, f"The provider {how} the connection unanswered{since}.")


def overdue(detail: str) -> ProviderFailure:
    """Says what was waited for in vain."""
    return _failure(ReasonCode.TIMEOUT, detail)


def too_long(most_bytes: int) -> ProviderFailure:
    """Says that a body goes on and on."""
    return _failure(ReasonCode.INVALID_RESPONSE, f"The answer is longer than {most_bytes} bytes.")
