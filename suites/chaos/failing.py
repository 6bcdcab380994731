"""The ways in which a first attempt fails before its caller has heard anything, by the names that reports give them."""

import random
import socket
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from fixtures.simulators.body_steps import HtmlPage
from fixtures.simulators.position import Byte
from fixtures.simulators.steps import Cut, ErrorEvent, Garbage, Stall, Status, Step

REFUSED = "refused"
SILENT = "silent"

_EITHER: Mapping[str, Step] = {
    "reset before headers": Cut("before headers", "rst"),
    "closed before headers": Cut("before headers", "fin"),
    "status 500": Status(500),
    "status 503": Status(503),
    "status 529": Status(529),
    "status 429": Status(429),
    "status 401": Status(401),
    "status 402": Status(402),
    SILENT: Stall("before headers"),
}

WHOLE: Mapping[str, Step] = {
    **_EITHER,
    "body cut": Cut(3, "fin"),
    "body reset": Cut(3, "rst"),
    "malformed 200": HtmlPage(200),
}
"""Of an answer that is asked for whole."""

STREAMED: Mapping[str, Step] = {
    **_EITHER,
    "cut before content": Cut("preamble", "fin"),
    "reset before content": Cut("preamble", "rst"),
    "empty 200": Cut(Byte(0), "end"),
    "malformed 200": Garbage("preamble"),
    "error event first": ErrorEvent("preamble"),
}
"""Of a stream, each before its first content."""


@dataclass(frozen=True, slots=True)
class Case:
    """One way of failing, of a whole answer or of a stream; a refused connection has no step, as nobody is there."""

    kind: str
    stream: bool

    @property
    def step(self) -> Step | None:
        return (STREAMED if self.stream else WHOLE).get(self.kind)

    @property
    def name(self) -> str:
        """A plain word for the providers and models of this case."""
        return f"{self.kind.replace(' ', '-')}-{'streamed' if self.stream else 'whole'}"

    def __str__(self) -> str:
        return f"{self.kind}, {'streamed' if self.stream else 'whole'}"


CASES = tuple(
    Case(kind, stream) for stream, steps in ((False, WHOLE), (True, STREAMED)) for kind in (REFUSED, *steps)
)


def draw(seed: int, count: int, *, well_share: float = 0.3) -> list[Case | None]:
    """Return what befalls each of so many requests, None for nothing: the same for the same seed."""
    rng = random.Random(f"{seed}/faults")  # noqa: S311 - the same seed has to give the same faults
    scripted: Sequence[Case] = [case for case in CASES if case.step is not None]
    return [None if rng.random() < well_share else rng.choice(scripted) for _request in range(count)]


@contextmanager
def deserted_address() -> Iterator[str]:
    """Yield a "host:port" at which connections are refused: it is held, so that nobody else listens there meanwhile."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield f"127.0.0.1:{held.getsockname()[1]}"
