"""Messages from the bytes of AWS's event stream, without I/O (Smithy 2.0, Amazon Event Stream specification)."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from struct import Struct
from uuid import UUID
from zlib import crc32

HeaderValue = bool | int | bytes | str | datetime | UUID

MAX_MESSAGE_BYTES = 16 * 1024 * 1024
MAX_HEADERS_BYTES = 128 * 1024

_PRELUDE = Struct("!III")
_LENGTHS = Struct("!II")
_CRC = Struct("!I")
_LENGTH = Struct("!H")
_OVERHEAD = _PRELUDE.size + _CRC.size
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_TRUE, _FALSE, _BYTES, _STRING, _TIMESTAMP, _UUID = 0, 1, 6, 7, 8, 9
_INTEGERS = {2: Struct("!b"), 3: Struct("!h"), 4: Struct("!i"), 5: Struct("!q")}
_INT64 = 5


@dataclass(frozen=True, slots=True)
class EventMessage:
    """One message; a header's value has the type that the wire gives it."""

    headers: Mapping[str, HeaderValue]
    payload: bytes

    def text(self, name: str) -> str:
        """The value of a header that is a text; an empty one where there is none."""
        value = self.headers.get(name)
        return value if isinstance(value, str) else ""


@dataclass(frozen=True, slots=True)
class FrameFault:
    """The bytes are no messages, or end within one; `is_cut` tells the two apart."""

    detail: str
    is_cut: bool = False


class _BadFrameError(Exception):
    """What is wrong with a frame."""


class EventStreamDecoder:
    """Turns bytes, split anywhere, into messages, each checked against its checksums.

    After a fault nothing more is read: where one length is wrong, nobody knows where the next message begins.
    """

    def __init__(self) -> None:
        self._rest = bytearray()
        self._broken = False

    def feed(self, data: bytes) -> list[EventMessage | FrameFault]:
        """Takes the next bytes and returns the messages that they complete; a fault is the last."""
        if self._broken:
            return []
        self._rest += data
        read: list[EventMessage | FrameFault] = []
        try:
            while (message := self._next()) is not None:
                read.append(message)
        except _BadFrameError as error:
            read.append(self._fault(str(error)))
        return read

    def close(self) -> list[EventMessage | FrameFault]:
        """Takes the end of the bytes; returns a fault where a message is unfinished."""
        if self._broken or not self._rest:
            return []
        return [self._fault("The stream ends within a message.", is_cut=True)]

    def _next(self) -> EventMessage | None:
        if len(self._rest) < _PRELUDE.size:
            return None
        total, headers_length, checksum = _PRELUDE.unpack_from(self._rest)
        if crc32(self._rest[: _LENGTHS.size]) != checksum:
            raise _BadFrameError("The checksum of a message's prelude is wrong.")
        if headers_length > MAX_HEADERS_BYTES or not _OVERHEAD + headers_length <= total <= MAX_MESSAGE_BYTES:
            raise _BadFrameError(
                f"A message of {total} bytes with {headers_length} of headers is no proper one."
            )
        if len(self._rest) < total:
            return None
        frame = bytes(self._rest[:total])
        del self._rest[:total]
        return _message(frame, _PRELUDE.size + headers_length)

    def _fault(self, detail: str, *, is_cut: bool = False) -> FrameFault:
        self._broken = True
        self._rest.clear()
        return FrameFault(detail, is_cut)


def _message(frame: bytes, headers_end: int) -> EventMessage:
    body, checksum = frame[: -_CRC.size], frame[-_CRC.size :]
    if crc32(body) != _CRC.unpack(checksum)[0]:
        raise _BadFrameError("The checksum of a message is wrong.")
    headers: dict[str, HeaderValue] = {}
    for name, value in _headers(_Reader(body[_PRELUDE.size : headers_end])):
        if not name or name in headers:
            raise _BadFrameError(f"The header {name!r} of a message is given twice or has no name.")
        headers[name] = value
    return EventMessage(headers, body[headers_end:])


class _Reader:
    """Takes bytes off the front, never more than there are."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    @property
    def is_empty(self) -> bool:
        return self._at == len(self._data)

    def take(self, count: int) -> bytes:
        end = self._at + count
        if end > len(self._data):
            raise _BadFrameError("The headers of a message are cut.")
        taken, self._at = self._data[self._at : end], end
        return taken

    def block(self) -> bytes:
        """Takes what its length in two bytes precedes."""
        return self.take(_LENGTH.unpack(self.take(_LENGTH.size))[0])


def _headers(reader: _Reader) -> Iterator[tuple[str, HeaderValue]]:
    while not reader.is_empty:
        try:
            name = reader.take(reader.take(1)[0]).decode()
            yield name, _value(reader, reader.take(1)[0])
        except (UnicodeDecodeError, OverflowError):
            raise _BadFrameError("A header of a message has an impossible name or value.") from None


def _value(reader: _Reader, kind: int) -> HeaderValue:
    if kind in _INTEGERS:
        form = _INTEGERS[kind]
        return int(form.unpack(reader.take(form.size))[0])
    if kind not in _READ:
        raise _BadFrameError(f"A header of a message is of the unknown type {kind}.")
    return _READ[kind](reader)


def _timestamp(reader: _Reader) -> datetime:
    milliseconds: int = _INTEGERS[_INT64].unpack(reader.take(8))[0]
    return _EPOCH + timedelta(milliseconds=milliseconds)


_READ: Mapping[int, Callable[[_Reader], HeaderValue]] = {
    _TRUE: lambda _reader: True,
    _FALSE: lambda _reader: False,
    _BYTES: _Reader.block,
    _STRING: lambda reader: reader.block().decode(),
    _TIMESTAMP: _timestamp,
    _UUID: lambda reader: UUID(bytes=reader.take(16)),
}
