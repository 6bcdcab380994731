import pytest

from gateway.schema.exchange import Endpoint, UpstreamAnswer, UpstreamCall

DATE = "Wed, 21 Oct 2026 07:28:00 GMT"


@pytest.mark.parametrize(
    ("headers", "wait"),
    [
        pytest.param({"retry-after": "3"}, "3", id="seconds"),
        pytest.param({"retry-after": DATE}, DATE, id="date"),
        pytest.param({"retry-after": "Wednesday, 21-Oct-26 07:28:00 GMT"}, DATE, id="old date"),
        pytest.param({"retry-after": "Wed Oct 21 07:28:00 2026"}, DATE, id="date of C"),
        pytest.param({"retry-after": "Wed, 21 Oct 2026 09:28:00 +0200"}, DATE, id="date elsewhere"),
        pytest.param({"retry-after": "0"}, "0", id="at once"),
        pytest.param({"retry-after": "0.5"}, "1", id="fraction"),
        pytest.param({"retry-after": " 3 "}, "3", id="blanks"),
        pytest.param({"retry-after-ms": "1001"}, "2", id="milliseconds"),
        pytest.param({"x-ms-retry-after-ms": "1001"}, "2", id="milliseconds of Azure"),
        pytest.param({"retry-after-ms": "1500.5"}, "2", id="fraction of milliseconds"),
        pytest.param({"retry-after": "-1", "retry-after-ms": "20"}, "1", id="seconds wrong"),
        pytest.param({"retry-after": "30", "retry-after-ms": "20"}, "30", id="seconds longer"),
        pytest.param({"retry-after": "3", "retry-after-ms": "20000"}, "20", id="milliseconds longer"),
        pytest.param({"retry-after": DATE, "retry-after-ms": "20000"}, "20", id="date and milliseconds"),
        pytest.param({"retry-after": "-1"}, None, id="negative"),
        pytest.param({"retry-after": "2678401"}, None, id="beyond a month"),
        pytest.param({"retry-after": "9" * 400}, None, id="absurd"),
        pytest.param({"retry-after": "nan"}, None, id="not a number"),
        pytest.param({"retry-after": "1e3"}, None, id="scientific"),
        pytest.param({"retry-after": "\u0663"}, None, id="foreign digits"),
        pytest.param({"retry-after": f"{DATE}\x00"}, None, id="control character"),
        pytest.param({"retry-after-ms": "soon"}, None, id="no number"),
        pytest.param({"retry-after": "sp\u00e4ter"}, None, id="not ASCII"),
        pytest.param({}, None, id="absent"),
    ],
)
def test_retry_after_is_read_in_all_its_forms(headers: dict[str, str], wait: str | None) -> None:
    """A provider may ask to wait in seconds, until a date, or in milliseconds; callers are told it the usual way."""
    assert UpstreamAnswer(status=429, headers=headers, body=b"").retry_after == wait


def test_key_does_not_show() -> None:
    """The key of an endpoint is not in its representation."""
    assert "example" not in repr(Endpoint(base_url="http://h", api_key="sk-example-not-a-key"))


def test_call_shows_whom_it_asks_and_nothing_else() -> None:
    """Neither the key of a call nor what its caller says is in its representation."""
    headers = {"authorization": "Bearer sk-example-not-a-key"}

    call = UpstreamCall(method="POST", url="http://h/v1/chat", headers=headers, body=b"an example")

    assert f"{call}" == repr(call) == "UpstreamCall(POST http://h/v1/chat)"
