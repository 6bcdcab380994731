import zlib

_GZIP = frozenset({"gzip", "x-gzip"})
_CODINGS = _GZIP | {"deflate"}
_GZIP_WINDOW = 16 + zlib.MAX_WBITS
_DEFLATE_METHOD = 8
# So much is handed out at once, for a few bytes may become a thousand times as many.
_MOST_BYTES = 256 * 2**10
_MOST_MEMBERS = 1000


class CompressionError(Exception):
    """What came is not compressed as its head says."""


class Inflater:
    """Undoes the compression of one body as it comes (RFC 9110, section 8.4.1); raises CompressionError.

    The gateway asks for none; there are servers that compress all the same.
    """

    def __init__(self, coding: str) -> None:
        self._is_headless_deflate: bool | None = False if coding in _GZIP else None
        self._stream = zlib.decompressobj(_GZIP_WINDOW if coding in _GZIP else zlib.MAX_WBITS)
        self._rest = b""
        self._members = 1

    def feed(self, data: bytes) -> None:
        """Takes in what has come."""
        if self._is_headless_deflate is None:
            # What is called deflate has a header, which says so in its first byte; some servers leave that out.
            self._is_headless_deflate = data[0] & 0xF != _DEFLATE_METHOD
            if self._is_headless_deflate:
                self._stream = zlib.decompressobj(-zlib.MAX_WBITS)
        self._rest += data

    def take(self) -> bytes:
        """Hands out some of what can be read by now, nothing where that is all."""
        data = b""
        while self._rest and not data:
            if self._stream.eof:
                self._begin_next_member()
            try:
                data = self._stream.decompress(self._rest, _MOST_BYTES)
            except zlib.error as error:
                raise CompressionError from error
            self._rest = self._stream.unconsumed_tail or self._stream.unused_data
        return data

    def close(self) -> bytes:
        """Hands out the little that is left when the body has ended."""
        return self._stream.flush()

    def _begin_next_member(self) -> None:
        # RFC 1952, section 2.2: what gzip has made may be several such in a row.
        self._members += 1
        if self._members > _MOST_MEMBERS:
            raise CompressionError
        self._stream = zlib.decompressobj(_GZIP_WINDOW)


def inflater_for(coding: str) -> Inflater | None:
    """Gives what undoes a content coding, None for those that are none or not known."""
    coding = coding.strip().lower()
    return Inflater(coding) if coding in _CODINGS else None
