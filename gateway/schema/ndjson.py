"""Newline-delimited JSON as bytes and as lines, without I/O."""


class NdjsonDecoder:
    """Turns bytes, split anywhere, into lines; blank lines are dropped."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> list[bytes]:
        """Takes the next bytes and returns the lines that they complete."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        return [line for line in map(bytes.strip, lines) if line]

    def close(self) -> list[bytes]:
        """Returns the last line where its newline is missing."""
        last, self._rest = self._rest.strip(), b""
        return [last] if last else []
