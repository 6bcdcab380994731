import pytest

from gateway.net.answer import Answer
from gateway.net.reading import AnswerReader, GarbageError

OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"transfer-encoding: chunked\r\n\r\n"


def reader_of(answer: Answer, *, bodiless: bool = False) -> AnswerReader:
    reader = AnswerReader()
    reader.expect(answer, bodiless=bodiless)
    return reader


def read(*pieces: bytes, bodiless: bool = False) -> tuple[Answer, bool]:
    """Reads an answer, and tells whether another may follow on the same connection."""
    answer = Answer()
    reader = reader_of(answer, bodiless=bodiless)
    for piece in pieces:
        reader.feed(piece)
    return answer, reader.reusable


WHOLE = {
    "length": (OK + b"Content-Length: 2\r\n\r\nab", b"ab"),
    "no body": (OK + b"content-length: 0\r\n\r\n", b""),
    "chunks": (CHUNKED + b"1\r\na\r\n1\r\nb\r\n0\r\n\r\n", b"ab"),
    "extensions and trailers": (CHUNKED + b"2;x=y\r\nab\r\n0\r\nx-sum: 1\r\nx-more: 2\r\n\r\n", b"ab"),
    "interim answers": (
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nlink: x\r\n\r\n"
        + OK
        + b"content-length: 2\r\n\r\nab",
        b"ab",
    ),
    "204": (b"HTTP/1.1 204 No Content\r\n\r\n", b""),
    "304 with a length": (b"HTTP/1.1 304 Not Modified\r\ncontent-length: 5\r\n\r\n", b""),
    "kept by an HTTP/1.0 server": (
        b"HTTP/1.0 200 OK\r\nconnection: keep-alive\r\ncontent-length: 2\r\n\r\nab",
        b"ab",
    ),
    "bare line feeds": (b"HTTP/1.1 200 OK\ncontent-length: 2\n\nab", b"ab"),
    "folded header": (OK + b"x-folded: a\r\n b\r\ncontent-length: 2\r\n\r\nab", b"ab"),
    "upgrade offered": (OK + b"connection: upgrade\r\nupgrade: h2c\r\ncontent-length: 2\r\n\r\nab", b"ab"),
}


@pytest.mark.parametrize(("data", "body"), WHOLE.values(), ids=WHOLE)
@pytest.mark.parametrize("size", [1, 7, 10_000], ids=["bytes", "sevens", "at once"])
def test_answer_is_read_however_it_is_cut(data: bytes, body: bytes, size: int) -> None:
    """However an answer is framed and its bytes are cut, its body comes whole and another request may follow."""
    answer, reusable = read(*(data[at : at + size] for at in range(0, len(data), size)))

    assert (answer.complete, answer.take(), reusable) == (True, body, True)


def test_head_has_status_and_headers() -> None:
    """Names are in lower case, of repeated ones the last counts; interim answers and trailers leave none."""
    answer, _ = read(
        b"HTTP/1.1 103 Early\r\nlink: x\r\n\r\n"
        b"HTTP/1.1 429 Slow\r\nX-Wait: 1\r\nx-wait: 2\r\nX-Empty:\r\nx-name: \xe9\r\ntransfer-encoding: chunked\r\n\r\n"
        b"0\r\nx-trailer: 1\r\n\r\n"
    )

    assert answer.status == 429
    assert answer.headers == {"x-wait": "2", "x-empty": "", "x-name": "é", "transfer-encoding": "chunked"}


LAST = {
    "connection: close": OK + b"connection: close\r\ncontent-length: 2\r\n\r\nab",
    "HTTP/1.0": b"HTTP/1.0 200 OK\r\ncontent-length: 2\r\n\r\nab",
    "garbage after it": OK + b"content-length: 2\r\n\r\nabc",
    "half an answer after it": OK + b"content-length: 2\r\n\r\nabHTTP/1.1 2",
    "another answer after it": (OK + b"content-length: 2\r\n\r\nab") * 2,
}


@pytest.mark.parametrize("data", LAST.values(), ids=LAST)
def test_connection_may_have_been_used_for_the_last_time(data: bytes) -> None:
    """Where a server wants to close, or has sent what nobody asked for, no other request follows; the answer stands."""
    answer, reusable = read(data)

    assert (answer.complete, answer.take(), reusable) == (True, b"ab", False)


def test_answer_to_head_has_no_body() -> None:
    """Whatever length an answer to HEAD states, nothing of it comes."""
    answer, reusable = read(OK + b"content-length: 5\r\n\r\n", bodiless=True)

    assert (answer.complete, answer.take(), reusable) == (True, b"", False)


ENDS = {
    "no length": (OK + b"\r\nab", True),
    "HTTP/1.0": (b"HTTP/1.0 200 OK\r\n\r\nab", True),
    "length not reached": (OK + b"content-length: 3\r\n\r\nab", False),
    "no last chunk": (CHUNKED + b"2\r\nab\r\n", False),
    "last chunk cut": (CHUNKED + b"2\r\nab\r\n0\r\n", False),
    "chunks of something else": (OK + b"transfer-encoding: chunked, gzip\r\n\r\nab", False),
    "no head": (OK + b"content-le", False),
}


@pytest.mark.parametrize(("data", "complete"), ENDS.values(), ids=ENDS)
def test_end_of_the_connection_ends_what_says_no_other_end(data: bytes, *, complete: bool) -> None:
    """Only an answer that states no length is whole when its connection ends (RFC 9112, section 6.3)."""
    answer = Answer()
    reader = reader_of(answer)
    reader.feed(data)
    reader.end()

    assert answer.complete is complete


GARBAGE = {
    "another protocol": b"SSH-2.0-x\r\n",
    "page without a head": b"<html>",
    "HTTP/2": b"\0\0\x12\x04\0\0\0\0\0",
    "no status": b"HTTP/1.1 099 Odd\r\n\r\n",
    "another protocol from now on": b"HTTP/1.1 101 Switching\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n",
    "101 without a reason": b"HTTP/1.1 101 Switching\r\n\r\nx",
    "negative length": OK + b"content-length: -1\r\n\r\n",
    "two lengths": OK + b"content-length: 1\r\ncontent-length: 2\r\n\r\n",
    "length and chunks": OK + b"content-length: 1\r\ntransfer-encoding: chunked\r\n\r\n",
    "no chunk": CHUNKED + b"no length at all\r\n",
    "no chunk after a chunk": CHUNKED + b"1\r\na\r\nzz\r\n",
    "NUL in a header": OK + b"x: a\0b\r\n\r\n",
    "header too long": OK + b"x: " + b"a" * 70_000 + b"\r\n\r\n",
    "too many headers": OK + b"".join(b"x%d: a\r\n" % number for number in range(3_000)) + b"\r\n",
}


@pytest.mark.parametrize("data", GARBAGE.values(), ids=GARBAGE)
def test_garbage_is_told_at_once(data: bytes) -> None:
    """What is not HTTP, or has more headers than anybody needs, is told as soon as it is there."""
    with pytest.raises(GarbageError):
        read(data)


ENDLESS = {
    "a header": OK + b"x: ",
    "a trailer": CHUNKED + b"0\r\nx: ",
    "an extension": CHUNKED + b"1;",
    "a reason": b"HTTP/1.1 200 ",
}


@pytest.mark.parametrize("beginning", ENDLESS.values(), ids=ENDLESS)
def test_framing_has_an_end(beginning: bytes) -> None:
    """Whatever is no body may not go on for ever, though it never breaks a rule."""
    with pytest.raises(GarbageError):
        read(beginning, *[b"a" * 4096] * 20)


def test_interim_answers_have_an_end() -> None:
    """A server that announces an answer again and again is given up."""
    with pytest.raises(GarbageError):
        read(*[b"HTTP/1.1 102 Processing\r\n\r\n" * 200] * 20)


def test_one_reader_reads_answer_after_answer() -> None:
    """What an answer has used up of its limits is there again for the next."""
    reader = AnswerReader()
    for _ in range(40):
        answer = Answer()
        reader.expect(answer, bodiless=False)
        reader.feed(OK + b"x: " + b"a" * 60_000 + b"\r\ncontent-length: 2\r\n\r\nab")

        assert (answer.complete, answer.take(), reader.reusable) == (True, b"ab", True)
