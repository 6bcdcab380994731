"""A caller that leaves before its answer is there."""

import json
import socket
import struct
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal
from urllib.parse import urlsplit

from fixtures.targets.protocol import RunningTarget
from suites.chaos.hearing import CHAT, Face
from suites.chaos.lanes import QUESTION

Manner = Literal["closing", "resetting"]

_TIMEOUT_S = 5.0
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)
"""SO_LINGER for no time at all: what closes such a socket sends a reset."""


class Caller:
    """One request over a connection of its own."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._received = b""

    def hear(self, part: bytes) -> None:
        """Return once `part` has arrived.

        Raises:
            AssertionError: it does not come, or the gateway ends the answer before.

        """
        while part not in self._received:
            try:
                received = self._connection.recv(65_536)
            except TimeoutError:
                received = b""
            assert received, f"{part!r} does not come; heard was {self._received[-300:]!r}"
            self._received += received

    def leave(self, manner: Manner = "closing") -> float:
        """Leave and return when that was, in monotonic seconds."""
        if manner == "resetting":
            self._connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        left_s = time.monotonic()
        self._connection.close()
        return left_s


@contextmanager
def calling(
    target: RunningTarget, model: str, *, stream: bool, face: Face = CHAT, request_id: str = "left"
) -> Iterator[Caller]:
    """Ask, and yield the caller that waits for the answer; it has left at the end at the latest."""
    address = urlsplit(target.url)
    body = json.dumps({**face.body(model, QUESTION), "stream": stream}).encode()
    head = (
        f"POST {face.path} HTTP/1.1\r\nhost: {address.netloc}\r\nauthorization: Bearer {target.keys.user}\r\n"
        f"x-request-id: {request_id}\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
    )
    place = (address.hostname or "", address.port or 80)
    with socket.create_connection(place, timeout=_TIMEOUT_S) as connection:
        connection.sendall(head.encode() + body)
        yield Caller(connection)
