from functools import lru_cache

from gateway.net.address import Route
from gateway.schema.exchange import UpstreamCall

_WITHOUT_BODY = frozenset({"GET", "HEAD"})
_PREFERENCES = {"user-agent": "gauntlet-gateway", "accept": "*/*", "accept-encoding": "identity"}
_LENGTH = "content-length"

# Calls to one provider differ in their length alone, unless they are signed.
_HEADS_KEPT = 256


def request_head(call: UpstreamCall, route: Route) -> bytes:
    """Writes the head of a request; what the call states itself, the gateway does not state again.

    Raises ValueError where a line break in a header would begin another header, or another request.
    """
    has_body = call.body is not None or call.method not in _WITHOUT_BODY
    head, is_sized = _unsized_head(call.method, route, tuple(call.headers.items()))
    if is_sized or not has_body:
        return head + b"\r\n"
    return b"%bcontent-length: %d\r\n\r\n" % (head, len(call.body or b""))


@lru_cache(_HEADS_KEPT)
def _unsized_head(method: str, route: Route, headers: tuple[tuple[str, str], ...]) -> tuple[bytes, bool]:
    """Writes all but the length, and tells whether that is among the headers."""
    own = {"host": route.authority, **_PREFERENCES}
    stated = {name.lower() for name, _value in headers}
    fields = [(name, value) for name, value in own.items() if name not in stated]
    lines = [f"{name}: {value}" for name, value in (*fields, *headers)]
    head = "\r\n".join((f"{method} {route.target} HTTP/1.1", *lines, ""))
    if head.count("\n") != len(lines) + 1 or head.count("\r") != len(lines) + 1 or "\0" in head:
        raise ValueError("a header of the request has a line break in it")
    return head.encode(), _LENGTH in stated
