from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from gateway.schema.ndjson import NdjsonDecoder


def decode(*pieces: bytes) -> list[bytes]:
    decoder = NdjsonDecoder()
    lines = [line for piece in pieces for line in decoder.feed(piece)]
    return lines + decoder.close()


def test_lines_are_read() -> None:
    """Lines end with LF or CRLF, blank ones are dropped, the last may lack its end."""
    assert decode(b'{"a":1}\r\n\n{"b":', b"2}\n{}") == [b'{"a":1}', b'{"b":2}', b"{}"]


@given(text=st.binary(max_size=60), cuts=st.lists(st.integers(0, 60)))
def test_split_does_not_matter(text: bytes, cuts: list[int]) -> None:
    """The same bytes give the same lines wherever they are cut."""
    borders = sorted({0, len(text), *(cut for cut in cuts if cut < len(text))})
    pieces = [text[start:end] for start, end in pairwise(borders)]

    assert decode(*pieces) == decode(text)
