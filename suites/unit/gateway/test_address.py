import pytest

from gateway.net.address import Origin, Route, route_of

ROUTES = {
    "port of its own": (
        "http://127.0.0.1:8000/v1/chat",
        Route(Origin("127.0.0.1", 8000, is_tls=False), "/v1/chat", "127.0.0.1:8000"),
    ),
    "default port": (
        "https://api.example.com/v1",
        Route(Origin("api.example.com", 443, is_tls=True), "/v1", "api.example.com"),
    ),
    "default port named": (
        "http://api.example.com:80/v1",
        Route(Origin("api.example.com", 80, is_tls=False), "/v1", "api.example.com"),
    ),
    "IPv6": ("http://[::1]:8000/v1", Route(Origin("::1", 8000, is_tls=False), "/v1", "[::1]:8000")),
    "no path": ("https://h", Route(Origin("h", 443, is_tls=True), "/", "h")),
    "query without a path": ("https://h?a=b", Route(Origin("h", 443, is_tls=True), "/?a=b", "h")),
    "letters large": (
        "https://API.Example.com/A",
        Route(Origin("api.example.com", 443, is_tls=True), "/A", "api.example.com"),
    ),
    "a name like the scheme": ("http://http/p", Route(Origin("http", 80, is_tls=False), "/p", "http")),
}


@pytest.mark.parametrize(("url", "route"), ROUTES.values(), ids=ROUTES)
def test_address_is_taken_apart(url: str, route: Route) -> None:
    """Host and port say whom to connect to; the host header leaves out the scheme's own port."""
    assert route_of(url) == route


@pytest.mark.parametrize(
    "target",
    [
        "/model/a%3Ab/invoke",
        "/a//b/../c/./d",
        "/p?alt=sse&x=%2F%2f+~'()*",
        "/p?",
        '/p?a=[1]|{2}^`"\\<>',
        "/;a=b@c:d",
    ],
)
def test_address_is_sent_letter_for_letter(target: str) -> None:
    """A signature covers path and query as they stand, so nothing in them is changed."""
    assert route_of(f"https://h{target}").target == target


def test_fragment_stays_here() -> None:
    """What follows a # is for who reads the address, and is not sent."""
    assert route_of("https://h/p?q#f").target == "/p?q"


def test_what_is_not_ascii_is_encoded() -> None:
    """Letters that no request line can carry are encoded as UTF-8, and those of a host as IDNA."""
    route = route_of("https://bücher.example/größe?ü=%20")

    assert route.origin.host == route.authority == "xn--bcher-kva.example"
    assert route.target == "/gr%C3%B6%C3%9Fe?%C3%BC=%20"


REFUSED = {
    "line break": "http://h/p\r\nx: y",
    "space": "http://h/a b",
    "NUL": "http://h/\0",
    "line break that is taken for nothing": "ht\ntp://h/",
    "user": "http://user@h/",
    "password": "http://user:word@h/",
    "other scheme": "ftp://h/",
    "no scheme": "h/p",
    "no host": "http:///p",
    "port that is none": "http://h:99999/",
}


@pytest.mark.parametrize("url", REFUSED.values(), ids=REFUSED)
def test_address_that_cannot_be_asked_is_refused(url: str) -> None:
    """What would end the request line too soon, shows credentials or names nobody is refused."""
    with pytest.raises(ValueError, match=r".+"):
        route_of(url)
