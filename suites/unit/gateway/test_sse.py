from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.schema.sse import SseDecoder, SseEvent, encode_sse


def decode(*pieces: bytes) -> list[SseEvent]:
    decoder = SseDecoder()
    events = [event for piece in pieces for event in decoder.feed(piece)]
    return events + decoder.close()


CASES = {
    "LF": (b"data: a\n\ndata: b\n\n", [b"a", b"b"]),
    "CRLF": (b"data: a\r\n\r\ndata: b\r\n\r\n", [b"a", b"b"]),
    "CR": (b"data: a\r\rdata: b\r\r", [b"a", b"b"]),
    "byte order mark": (b"\xef\xbb\xbfdata: a\n\n", [b"a"]),
    "byte order mark in the middle": (b"data: a\n\n\xef\xbb\xbfdata: b\n\ndata: c\n\n", [b"a", b"c"]),
    "comment": (b": ping\n\ndata: a\n: ping\n\n", [b"a"]),
    "several data lines": (b"data: a\ndata:\ndata: b\n\n", [b"a\n\nb"]),
    "no space": (b"data:a\n\n", [b"a"]),
    "two spaces": (b"data:  a\n\n", [b" a"]),
    "field without colon": (b"data\n\n", [b""]),
    "unknown fields": (b"id: 1\nretry: 5\nfoo: bar\ndata: a\n\n", [b"a"]),
    "event without data": (b"event: ping\n\ndata: a\n\n", [b"a"]),
    "no blank line at the end": (b"data: a\n\ndata: b\n", [b"a", b"b"]),
    "no newline at the end": (b"data: a", [b"a"]),
    "nothing": (b"", []),
}


@pytest.mark.parametrize(("text", "data"), CASES.values(), ids=CASES)
def test_events_are_read_however_they_are_split(text: bytes, data: list[bytes]) -> None:
    """Every line ending, comment and odd form of the specification is read, whole and byte by byte."""
    assert [event.data for event in decode(text)] == data
    assert decode(*(text[i : i + 1] for i in range(len(text)))) == decode(text)


def test_event_name_is_read_and_forgotten() -> None:
    """The name of an event holds for that event only."""
    assert decode(b"event: error\ndata: a\n\ndata: b\n\n") == [SseEvent(b"a", "error"), SseEvent(b"b")]


@given(
    lines=st.lists(
        st.sampled_from([b"data: a", b"data:", b": c", b"event: e", b"", b"data: \xc3\xa4", b"x"])
    ),
    ending=st.sampled_from([b"\n", b"\r\n", b"\r"]),
    cuts=st.lists(st.integers(0, 80)),
)
def test_split_does_not_matter(lines: list[bytes], ending: bytes, cuts: list[int]) -> None:
    """The same bytes give the same events wherever they are cut."""
    text = ending.join(lines)
    borders = sorted({0, len(text), *(cut for cut in cuts if cut < len(text))})
    pieces = [text[start:end] for start, end in pairwise(borders)]

    assert decode(*pieces) == decode(text)


@given(
    st.lists(st.tuples(st.binary().filter(lambda data: b"\r" not in data), st.sampled_from([None, "error"])))
)
def test_written_events_are_read_back(events: list[tuple[bytes, str | None]]) -> None:
    """What is written is what is read, line breaks included."""
    text = b"".join(encode_sse(data, name) for data, name in events)

    assert decode(text) == [SseEvent(data, name or "message") for data, name in events]
