import httptools

from gateway.net.answer import Answer

_CONTINUE = 100
_OK = 200

# RFC 9112 sets no limits. Nothing that a provider means to say in a head or in trailers is as long, and one that means
# harm must not take the gateway's memory. As in RFC 9113, section 6.5.2, each header counts for 32 bytes more.
_MOST_FRAMING_BYTES = 64 * 2**10
_BYTES_PER_HEADER = 32


class GarbageError(Exception):
    """What came is not an HTTP/1 answer, or there is more to its head or trailers than there may be."""


class AnswerReader:
    """Reads the answers of one connection, one after the other; httptools calls the `on_` methods.

    `reusable`: the answer is complete, and another request may follow. Bytes that nobody has asked for forbid that,
    for they would be taken for the beginning of the next answer.
    """

    def __init__(self) -> None:
        self.reusable = False
        self._answer: Answer | None = None
        self._is_bodiless = False
        self._is_interim = False
        self._headers: dict[str, str] = {}
        self._framing_bytes = 0
        self._parser = httptools.HttpResponseParser(self)
        # Some servers send them, and in answers they do no harm: bare LF, folded headers, spaces after a chunk's size.
        self._parser.set_dangerous_leniencies(
            lenient_headers=True, lenient_optional_cr_before_lf=True, lenient_spaces_after_chunk_size=True
        )

    def expect(self, answer: Answer, *, bodiless: bool) -> None:
        """Says what the next bytes are; `bodiless` is the answer to HEAD, whatever it says (RFC 9110, 9.3.2)."""
        self.reusable = False
        self._answer = answer
        self._is_bodiless = bodiless
        self._headers = answer.headers
        self._framing_bytes = 0

    def feed(self, data: bytes) -> None:
        """Reads on; raises GarbageError, but not for what comes after a complete answer."""
        self._framing_bytes += len(data)
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            self.reusable = False
            if self._answer is not None:
                raise GarbageError from error
        if self._framing_bytes > _MOST_FRAMING_BYTES and self._answer is not None:
            raise GarbageError

    def end(self) -> None:
        """Takes the end of the connection for the end of an answer whose head says none (RFC 9112, section 6.3)."""
        answer, self._answer = self._answer, None
        if answer is not None and answer.begun:
            coding = answer.headers.get("transfer-encoding", "").lower()
            answer.complete = "content-length" not in answer.headers and "chunked" not in coding

    def on_message_begin(self) -> None:
        if self._answer is None:
            self.reusable = False

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        answer, status = self._answer, self._parser.get_status_code()
        if status < _CONTINUE or _is_garbage(self._headers):
            raise GarbageError
        self._is_interim = status < _OK
        if answer is None:
            return
        if self._is_interim:
            answer.headers.clear()
            return
        answer.status = status
        answer.begun = True
        self._headers = {}  # of trailers, which nobody has asked for
        if self._is_bodiless:
            answer.complete = True
            self._answer = None

    def on_body(self, data: bytes) -> None:
        self._framing_bytes = 0
        if self._answer is not None:
            self._answer.pieces.append(data)
            self._answer.size += len(data)

    def on_message_complete(self) -> None:
        if self._answer is not None and not self._is_interim:
            self._answer.complete = True
            self._answer = None
            self.reusable = self._parser.should_keep_alive()


def _is_garbage(headers: dict[str, str]) -> bool:
    values = "".join(headers.values())
    return "\0" in values or len(values) + len(headers) * _BYTES_PER_HEADER > _MOST_FRAMING_BYTES
