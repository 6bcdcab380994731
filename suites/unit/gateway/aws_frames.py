"""Frames of AWS's event stream as the tests write them: proper ones, and nonsense whose checksums are right."""

from datetime import UTC, datetime, timedelta
from struct import pack
from uuid import UUID
from zlib import crc32

from gateway.schema.aws_event_stream import EventMessage, HeaderValue

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def frame_of(message: EventMessage) -> bytes:
    """Gives a message as it is written; integers take 4 bytes, or 8 where they must."""
    headers = b"".join(_header(name.encode(), value) for name, value in message.headers.items())
    return framed(headers + message.payload, headers_length=len(headers))


def framed(content: bytes, *, total: int | None = None, headers_length: int | None = None) -> bytes:
    """Gives a frame whose checksums are right, whatever it says; all of its content counts as headers."""
    length = 16 + len(content) if total is None else total
    lengths = pack("!II", length, len(content) if headers_length is None else headers_length)
    frame = lengths + pack("!I", crc32(lengths)) + content
    return frame + pack("!I", crc32(frame))


def _header(name: bytes, value: HeaderValue) -> bytes:
    return bytes((len(name),)) + name + _written(value)


def _written(value: HeaderValue) -> bytes:
    """Gives the type of a value, and the value."""
    match value:
        case bool():
            return pack("!B", 0 if value else 1)
        case int():
            return pack("!Bi", 4, value) if -(2**31) <= value < 2**31 else pack("!Bq", 5, value)
        case bytes():
            return pack("!BH", 6, len(value)) + value
        case str():
            return pack("!BH", 7, len(value.encode())) + value.encode()
        case datetime():
            return pack("!Bq", 8, (value - _EPOCH) // timedelta(milliseconds=1))
        case UUID():
            return pack("!B", 9) + value.bytes
