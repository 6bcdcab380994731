from datetime import UTC, datetime
from uuid import UUID

import pytest
from botocore.eventstream import EventStreamBuffer
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.schema.aws_event_stream import (
    MAX_HEADERS_BYTES,
    MAX_MESSAGE_BYTES,
    EventMessage,
    EventStreamDecoder,
    FrameFault,
)
from suites.unit.gateway.aws_frames import frame_of, framed

FIRST = EventMessage({":event-type": "a", ":message-type": "event"}, b'{"text":"Hello"}')
SECOND = EventMessage({}, b"")
FRAME = frame_of(FIRST)

VALUES = (
    st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.binary(max_size=20)
    | st.text(max_size=20)
    | st.uuids()
    | st.datetimes(timezones=st.just(UTC)).map(
        lambda at: at.replace(microsecond=at.microsecond // 1000 * 1000)
    )
)
MESSAGES = st.builds(
    EventMessage, st.dictionaries(st.text(min_size=1, max_size=9), VALUES, max_size=4), st.binary(max_size=50)
)


def decode(*pieces: bytes) -> list[EventMessage | FrameFault]:
    decoder = EventStreamDecoder()
    read = [item for piece in pieces for item in decoder.feed(piece)]
    return read + decoder.close()


@settings(max_examples=100, deadline=None)
@given(st.lists(MESSAGES, max_size=3), st.lists(st.integers(1, 40)))
def test_messages_come_back_however_they_are_cut(messages: list[EventMessage], sizes: list[int]) -> None:
    """What is written is read again, with the types of its headers, wherever the network cuts it."""
    data, pieces = b"".join(map(frame_of, messages)), []
    for size in sizes:
        pieces.append(data[:size])
        data = data[size:]

    assert decode(*pieces, data) == messages


def test_aws_reads_what_is_written() -> None:
    """AWS's own parser reads the same headers and payload."""
    buffer = EventStreamBuffer()
    buffer.add_data(frame_of(EventMessage({"a": "b", "n": -1, "l": 2**40, "t": True, "x": b"y"}, b"data")))

    [message] = list(buffer)

    assert (message.headers, message.payload) == (
        {"a": "b", "n": -1, "l": 2**40, "t": True, "x": b"y"},
        b"data",
    )


def test_small_integers_are_read() -> None:
    """Integers of one and two bytes are read though they are never written."""
    assert decode(framed(b"\x01a\x02\xff\x01b\x03\x01\x00")) == [EventMessage({"a": -1, "b": 256}, b"")]


def test_times_and_ids_have_their_types() -> None:
    """A time is read as one in UTC, an id as such."""
    at, identity = datetime(2026, 11, 21, tzinfo=UTC), UUID(int=7)

    [message] = decode(frame_of(EventMessage({"at": at, "id": identity}, b"")))

    assert isinstance(message, EventMessage)
    assert dict(message.headers) == {"at": at, "id": identity}
    assert (message.text("at"), message.text("none")) == ("", "")


@pytest.mark.parametrize("cut", range(1, len(FRAME)))
def test_half_a_message_is_a_fault_at_the_end(cut: int) -> None:
    """A message that is cut anywhere is told as cut, and none is made of it; those before it stand."""
    first, fault = decode(FRAME + FRAME[:cut])

    assert first == FIRST
    assert isinstance(fault, FrameFault)
    assert fault.is_cut


@pytest.mark.parametrize("at", range(len(FRAME)))
def test_flipped_byte_is_a_fault(at: int) -> None:
    """A message of which one byte is wrong is never read, nor is anything after it."""
    spoilt = bytearray(FRAME)
    spoilt[at] ^= 0x01

    first, fault = decode(FRAME + bytes(spoilt) + FRAME, FRAME)

    assert first == FIRST
    assert isinstance(fault, FrameFault)
    assert not fault.is_cut


@pytest.mark.parametrize(
    "frame",
    [
        framed(b"", total=15),
        framed(b"", total=MAX_MESSAGE_BYTES + 1),
        framed(b"", total=2**32 - 1),
        framed(b"", total=2**20, headers_length=MAX_HEADERS_BYTES + 1),
        framed(b"", headers_length=1),
        framed(b"\x01a\x07\x00\x05abc"),
        framed(b"\x01a"),
        framed(b"\x01a\x0a"),
        framed(b"\x00\x00"),
        framed(b"\x01a\x00\x01a\x01"),
        framed(b"\x01\xff\x00"),
        framed(b"\x01a\x07\x00\x01\xff"),
        framed(b"\x01a\x08\x7f" + b"\xff" * 7),
    ],
    ids=[
        "too short",
        "too long",
        "four gigabytes",
        "too many headers",
        "headers beyond the end",
        "cut value",
        "no value",
        "unknown type",
        "no name",
        "the same name twice",
        "name is no text",
        "value is no text",
        "time beyond all time",
    ],
)
def test_absurd_message_is_a_fault_at_once(frame: bytes) -> None:
    """Lengths and headers that cannot be are told without waiting for more, although the checksums are right."""
    decoder = EventStreamDecoder()

    [fault] = decoder.feed(frame)

    assert isinstance(fault, FrameFault)
    assert not fault.is_cut
    assert decoder.feed(FRAME) == decoder.close() == []


def test_nothing_is_no_fault() -> None:
    """A stream without a message, and one that ends with one, end properly."""
    assert decode() == []
    assert decode(FRAME, frame_of(SECOND)) == [FIRST, SECOND]
