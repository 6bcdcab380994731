"""Server-sent events as bytes and as values, without I/O (WHATWG HTML, section 9.2.6)."""

from dataclasses import dataclass

_BOM = b"\xef\xbb\xbf"
_LF, _CR = b"\n\r"


# Not frozen, though nobody changes one: one is made for every event of a stream.
@dataclass(slots=True)
class SseEvent:
    """One event; `data` are the bytes of its data lines joined by LF."""

    data: bytes
    event: str = "message"


class SseDecoder:
    """Turns bytes, split anywhere, into events; comments and unknown fields are dropped."""

    def __init__(self) -> None:
        self._rest = bytearray()
        self._data: list[bytes] = []
        self._event = ""
        self._at_start = True
        self._after_cr = False

    def feed(self, data: bytes) -> list[SseEvent]:
        """Takes the next bytes and returns the events that they complete."""
        if self._after_cr and data:
            # The CR has already ended the line, so an LF right after it belongs to it.
            data = data.removeprefix(b"\n")
            self._after_cr = False
        if not data:
            return []
        self._after_cr = data[-1] == _CR
        ends_line = self._after_cr or data[-1] == _LF
        if self._rest or not ends_line:
            self._rest += data
            if _LF not in data and _CR not in data:
                return []  # what has come of a long line is not searched again with every piece
            data, self._rest = bytes(self._rest), bytearray()
        lines = data.splitlines()
        if not ends_line:
            self._rest = bytearray(lines.pop())
        return self._read(lines)

    def close(self) -> list[SseEvent]:
        """Returns the event that lacks only its blank line.

        The specification drops such an event. Here a provider's own terminal event decides whether an answer is
        complete, so a forgiving reading cannot make a cut answer look whole.
        """
        lines = [bytes(self._rest), b""]
        self._rest = bytearray()
        return self._read(lines)

    def _read(self, lines: list[bytes]) -> list[SseEvent]:
        if self._at_start:
            lines[0] = lines[0].removeprefix(_BOM)
            self._at_start = False
        events: list[SseEvent] = []
        for line in lines:
            if line[:6] == b"data: ":
                self._data.append(line[6:])
            elif line:
                self._take(line)
            elif (event := self._dispatch()) is not None:
                events.append(event)
        return events

    def _take(self, line: bytes) -> None:
        name, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if name == b"data":
            self._data.append(value)
        elif name == b"event":
            self._event = value.decode(errors="replace")

    def _dispatch(self) -> SseEvent | None:
        data, event = self._data, self._event
        self._data, self._event = [], ""
        return SseEvent(b"\n".join(data), event or "message") if data else None


def encode_sse(data: bytes, event: str | None = None) -> bytes:
    """Writes one event; every line of the data becomes a data line."""
    head = f"event: {event}\n".encode() if event else b""
    if _LF not in data:
        return head + b"data: " + data + b"\n\n"
    return head + b"".join(b"data: %b\n" % line for line in data.split(b"\n")) + b"\n"
