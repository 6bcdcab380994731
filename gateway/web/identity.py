from starlette.requests import Request

from gateway.engine.admission import Credentials


def credentials_of(request: Request) -> Credentials:
    """Reads the keys that a request presents; no key is read from a URL, which logs would keep.

    `x-api-key` is how clients of Anthropic present what others present as a bearer token.
    """
    scheme, _, token = header_of(request, b"authorization").partition(" ")
    bearer = token.strip() if scheme.lower() == "bearer" else ""
    key = bearer or header_of(request, b"x-api-key").strip()
    return Credentials(key or None, header_of(request, b"x-admin-api-key").strip() or None)


def header_of(request: Request, name: bytes) -> str:
    """Reads the first header of a name, in lower case; empty where there is none.

    It costs a tenth of `Request.headers`, which raises and catches an error for each that is absent.
    """
    text: str = request.scope["state"]["headers"].get(name, b"").decode("latin-1")
    return text


def request_id_of(request: Request) -> str:
    """Returns the id that the middleware has given to a request."""
    return str(request.scope["state"]["request_id"])
