"""What of a provider's stream counts as progress, which restarts the wait for more."""

import asyncio
from collections import deque
from typing import TYPE_CHECKING, cast

from gateway.dialects.openai_stream import OpenAIStreamDecoder
from gateway.engine.relay import AnswerStream
from suites.unit.gateway.stamped import STAMP
from suites.unit.gateway.wire_texts import DONE, FINISH, HELLO, ROLE, WORLD

if TYPE_CHECKING:
    from gateway.net.upstream import UpstreamStream

COMMENT = b": still here\n\n"
HALF, REST = WORLD[:-5], WORLD[-5:]


class Pieces:
    """A stream that comes in these pieces, and notes after which of them its wait was restarted."""

    def __init__(self, *pieces: bytes) -> None:
        self._pieces = deque(pieces)
        self._latest = b""
        self.progress: list[bytes] = []

    async def read(self) -> bytes:
        self._latest = self._pieces.popleft()
        return self._latest

    def mark_progress(self) -> None:
        self.progress.append(self._latest)

    def hurry(self, within_s: float) -> None:
        del within_s


def progress_of(*pieces: bytes) -> list[bytes]:
    """Reads an answer to its end, and returns the pieces that were progress."""
    stream = Pieces(*pieces)
    answer = AnswerStream(cast("UpstreamStream", stream), OpenAIStreamDecoder(STAMP))

    async def read_all() -> None:
        while await answer.next_chunks():
            pass

    asyncio.run(read_all())
    return stream.progress


def test_nothing_before_the_first_content_is_progress() -> None:
    """Whoever waits for an answer waits for content: neither role nor comment buys the provider more time."""
    assert progress_of(ROLE, COMMENT, HELLO, FINISH, DONE)[0] == HELLO


def test_only_whole_events_are_progress() -> None:
    """Once there is content every event is a sign of life, but no comment is, and no half of an event."""
    assert progress_of(HELLO, COMMENT, HALF, REST, FINISH + DONE) == [HELLO, REST, FINISH + DONE]
