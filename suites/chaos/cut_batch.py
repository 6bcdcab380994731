"""Asks many requests over a few dozen connections that are kept, as fast as they are answered."""

import asyncio
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from fixtures.history.marks import request_mark
from fixtures.traffic.answer import AnswerReader, Told
from fixtures.traffic.caller import Caller
from fixtures.traffic.connection import Pool
from fixtures.traffic.question import Address
from suites.chaos.cut_cases import Case
from suites.chaos.cut_ears import EARS, Ear, Words, body_of

if sys.platform == "win32":
    from asyncio import new_event_loop
else:
    from uvloop import new_event_loop

IN_FLIGHT = 32
ANSWERED_WITHIN_S = 20.0
"""When a request that has not ended counts as hanging: twice what any wait of the cuts' gateway may last."""

_QUESTION = "What does the river do?"


@dataclass(frozen=True, slots=True)
class Heard:
    """What the caller of a case was told."""

    case: Case
    told: Told
    words: Words


def ask_all(base_url: str, key: str, cases: Sequence[Case], in_flight: int = IN_FLIGHT) -> list[Heard]:
    """Ask every case once and return what was heard, in the order of the answers."""
    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        return runner.run(_ask_all(base_url, key, cases, in_flight))


async def _ask_all(base_url: str, key: str, cases: Iterable[Case], in_flight: int) -> list[Heard]:
    addresses = {name: _address(base_url, key, ear()) for name, ear in EARS.items()}
    pool = Pool(addresses["chat"])
    heard: list[Heard] = []
    waiting = iter(cases)
    try:
        async with asyncio.TaskGroup() as group:
            for _number in range(in_flight):
                group.create_task(_ask_each(waiting, pool, addresses, heard))
    finally:
        pool.close()
    return heard


async def _ask_each(
    waiting: Iterator[Case], pool: Pool, addresses: dict[str, Address], heard: list[Heard]
) -> None:
    for case in waiting:
        ear = EARS[case.face]()
        reader = AnswerReader(ear, stream=case.stream)
        request = addresses[case.face].request(_body(case))
        answer = await Caller(reader, None, ANSWERED_WITHIN_S).ask(pool, request)
        heard.append(Heard(case, answer.told, ear.words))


def _body(case: Case) -> dict[str, object]:
    body = body_of(case.face, case.model, f"{_QUESTION} {request_mark(case.index)}", stream=case.stream)
    if case.deterministic:
        body["temperature"] = 0
    if case.stream and case.face == "chat" and case.wants_usage:
        body["stream_options"] = {"include_usage": True}
    return body


def _address(base_url: str, key: str, ear: Ear) -> Address:
    parts = urlsplit(base_url)
    headers = {"host": parts.netloc, "content-type": "application/json", **ear.headers(key)}
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    head = f"POST {ear.path} HTTP/1.1\r\n{lines}content-length: "
    return Address(str(parts.hostname), parts.port or 80, head.encode("latin-1"))
