import pytest

from gateway.net.address import route_of
from gateway.net.request import request_head
from gateway.schema.exchange import UpstreamCall

URL = "http://127.0.0.1:8000/v1/chat?a=b"


def head(method: str = "POST", body: bytes | None = b"{}", **headers: str) -> list[str]:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    call = UpstreamCall(method=method, url=URL, headers=named, body=body)
    written = request_head(call, route_of(URL)).decode()
    assert written.endswith("\r\n\r\n")
    return written.removesuffix("\r\n\r\n").split("\r\n")


def test_head_says_what_is_asked_and_of_whom() -> None:
    """A request names its target and host, who asks and what is sent, and asks for nothing to be compressed."""
    assert head(Authorization="Bearer sk-example-not-a-key") == [
        "POST /v1/chat?a=b HTTP/1.1",
        "host: 127.0.0.1:8000",
        "user-agent: gauntlet-gateway",
        "accept: */*",
        "accept-encoding: identity",
        "Authorization: Bearer sk-example-not-a-key",
        "content-length: 2",
    ]


def test_what_the_call_states_is_not_stated_again() -> None:
    """A header of the call takes the place of the gateway's own, in whatever letters, for two hosts are none."""
    lines = head(HOST="signed.example", Accept="text/event-stream")

    assert [line for line in lines if line.lower().startswith(("host:", "accept:"))] == [
        "HOST: signed.example",
        "Accept: text/event-stream",
    ]


def test_length_that_the_call_states_is_the_only_one() -> None:
    """Two lengths of a body, alike or not, would leave it to the reader where the next request begins."""
    lines = head(body=b"{}", Content_Length="2")

    assert [line for line in lines if line.lower().startswith("content-length")] == ["Content-Length: 2"]


@pytest.mark.parametrize(
    ("method", "body", "length"),
    [("POST", b"", "0"), ("POST", None, "0"), ("GET", None, None), ("HEAD", None, None), ("GET", b"{}", "2")],
)
def test_length_of_the_body_is_stated(method: str, body: bytes | None, length: str | None) -> None:
    """Where there is or could be a body, its length is stated (RFC 9110, section 8.6)."""
    stated = [line for line in head(method, body) if line.startswith("content-length")]

    assert stated == ([] if length is None else [f"content-length: {length}"])


def test_letters_beyond_ascii_are_sent_as_utf_8() -> None:
    """A key with such letters arrives as it was configured."""
    call = UpstreamCall(method="GET", url=URL, headers={"x-key": "schlüssel"})

    assert "x-key: schlüssel\r\n".encode() in request_head(call, route_of(URL))


@pytest.mark.parametrize("breaker", ["\r\n", "\n", "\r", "\0"], ids=["CR LF", "LF", "CR", "NUL"])
@pytest.mark.parametrize("place", ["name", "value"])
def test_line_break_in_a_header_is_refused(place: str, breaker: str) -> None:
    """A header cannot begin another one, nor another request."""
    headers = {f"x{breaker}y": "z"} if place == "name" else {"x": f"y{breaker}z: 1"}

    with pytest.raises(ValueError, match="line break"):
        request_head(UpstreamCall(method="GET", url=URL, headers=headers), route_of(URL))
