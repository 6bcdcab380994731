import re
from typing import NamedTuple
from urllib.parse import quote, urlsplit

_DEFAULT_PORTS = {"http": 80, "https": 443}
_PRINTABLE = re.compile(r"[^\x00-\x20\x7f]+")
_ASCII = "".join(map(chr, range(0x21, 0x7F)))


class Origin(NamedTuple):
    """Whom a connection leads to; `host` is a name or an address without brackets."""

    host: str
    port: int
    is_tls: bool


class Route(NamedTuple):
    """Where a URL leads: the connection that it needs, and what a request says of it."""

    origin: Origin
    target: str
    authority: str


def route_of(url: str) -> Route:
    """Takes a URL apart, letter for letter, for a signature may cover it; only what is not ASCII is encoded.

    Raises ValueError where it cannot be asked for: a space or a line break would end the request line too soon, and
    credentials in it would be for nobody to see.
    """
    if not _PRINTABLE.fullmatch(url):
        raise ValueError("the address has a space or a control character in it")
    parts = urlsplit(url)
    if parts.scheme not in _DEFAULT_PORTS or not parts.hostname or "@" in parts.netloc:
        raise ValueError("the address must be http or https, with a host and without credentials")
    host = parts.hostname if parts.hostname.isascii() else parts.hostname.encode("idna").decode()
    default = _DEFAULT_PORTS[parts.scheme]
    port = default if parts.port is None else parts.port
    name = f"[{host}]" if ":" in host else host
    return Route(
        origin=Origin(host, port, parts.scheme == "https"),
        target=_target(url, parts.netloc),
        authority=name if port == default else f"{name}:{port}",
    )


def _target(url: str, netloc: str) -> str:
    _, _, rest = url.partition("://")
    target, _, _ = rest[len(netloc) :].partition("#")
    return quote(target if target.startswith("/") else f"/{target}", safe=_ASCII)
