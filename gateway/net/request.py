from gateway.net.address import Route
from gateway.schema.exchange import UpstreamCall

_WITHOUT_BODY = frozenset({"GET", "HEAD"})
_PREFERENCES = {"user-agent": "gauntlet-gateway", "accept": "*/*", "accept-encoding": "identity"}


def request_head(call: UpstreamCall, route: Route) -> bytes:
    """Writes the head of a request; what the call states itself, the gateway does not state again.

    Raises ValueError where a line break in a header would begin another header, or another request.
    """
    own = {"host": route.authority, **_PREFERENCES}
    if call.body is not None:
        own["content-length"] = str(len(call.body))
    elif call.method not in _WITHOUT_BODY:
        own["content-length"] = "0"
    for name in call.headers:
        own.pop(name.lower(), None)
    fields = [f"{name}: {value}" for name, value in (*own.items(), *call.headers.items())]
    head = "\r\n".join((f"{call.method} {route.target} HTTP/1.1", *fields, "\r\n"))
    if head.count("\n") != len(fields) + 2 or head.count("\r") != len(fields) + 2 or "\0" in head:
        raise ValueError("a header of the request has a line break in it")
    return head.encode()
