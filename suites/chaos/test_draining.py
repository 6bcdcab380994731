"""Shutting down: on SIGTERM what is under way is finished or told, what comes is refused, and the end comes in time."""

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from http.client import HTTPConnection
from typing import Any, Protocol
from urllib.parse import urlsplit

import pytest

from fixtures.simulators.server import SimulatorServer
from fixtures.simulators.steps import Chain, HoldBody, Say, Slow, Stall, Status, Step
from fixtures.simulators.text import Reply, words_of
from fixtures.stage import Connection, Launch
from suites.chaos.hearing import CHAT, FACES, End, Face, Heard
from suites.chaos.journals import told
from suites.chaos.lanes import KEY, QUESTION, Lane, Track, Wish, change_for
from suites.chaos.leaving import calling
from suites.chaos.pacing import ask_until

pytestmark = [
    pytest.mark.item("UB-077"),
    pytest.mark.needs("chat", "streaming", "fallback", "configuration", "upstreams", "process"),
]

NOTICED_S = 0.3
"""How long after the signal the gateway may still let requests in."""

UNDER_WAY_WITHIN_S = 5.0

LATE_S = 3.0
"""How much later than it may the gateway may end: a second is its own, the others are a busy machine's."""

TEXT = "The Loire is the longest river of France and ends in the sea."
SAID = Say(Reply(tokens=words_of(TEXT)))
ENDLESS = Say(Reply(tokens=tuple(f"word{number} " for number in range(2_000))))

COPIES = 3
"""How many requests of each kind are under way."""

_PAUSE_S = 0.02


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """One kind of request that is under way at the signal: what its providers do, and how it is asked.

    `once`: the primary does it to the first call of each request alone. At the signal each request has come to its
    place `calls`, where the provider `keeps_waiting` or has begun to answer; a stream has then reached its caller.
    """

    name: str
    stream: bool
    primary: Step
    once: bool = False
    fallback: Step = SAID
    face: Face = CHAT
    chain: Mapping[str, Any] = field(default_factory=dict)
    calls: int = 1
    keeps_waiting: bool = False


def _retrying(backoff_s: float) -> Mapping[str, Any]:
    retries = {"attempts": 1, "backoff_s": backoff_s, "max_backoff_s": backoff_s, "jitter": 0}
    return {"retries": retries}


FINISHING: tuple[Work, ...] = (
    Work(name="stream", stream=True, primary=Slow(0, gap_ms=80)),
    Work(name="stream-before-its-content", stream=True, primary=Slow(800), keeps_waiting=True),
    Work(name="whole", stream=False, primary=Slow(800), keeps_waiting=True),
    Work(name="whole-within-its-body", stream=False, primary=Stall(2, 0.8)),
    Work(
        name="failover",
        stream=True,
        primary=Status(500),
        fallback=Chain(SAID, Slow(700)),
        calls=2,
        keeps_waiting=True,
    ),
    Work(name="retry", stream=False, primary=Status(503), once=True, chain=_retrying(0.7)),
    *(
        Work(name=f"stream-by-{face}", stream=True, primary=Slow(0, gap_ms=60), face=face)
        for face in FACES
        if face is not CHAT
    ),
)
"""What ends within the time to drain."""

ENDLESS_WORK: tuple[Work, ...] = (
    Work(name="lively-stream", stream=True, primary=Chain(ENDLESS, Slow(0, gap_ms=50))),
    Work(name="stalled-stream", stream=True, primary=Stall(3)),
    Work(name="silent-stream", stream=True, primary=Stall("before headers"), keeps_waiting=True),
    Work(name="silent-whole", stream=False, primary=Stall("before headers"), keeps_waiting=True),
    Work(name="held-body", stream=False, primary=HoldBody(), keeps_waiting=True),
    Work(name="pause-before-a-retry", stream=False, primary=Status(503), chain=_retrying(50)),
    *(
        Work(name=f"stalled-stream-by-{face}", stream=True, primary=Stall(3), face=face)
        for face in FACES
        if face is not CHAT
    ),
)
"""What does not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shutdown:
    """A gateway with requests under way, that is about to be stopped."""

    gateway: Connection
    lanes: Sequence[Lane]
    under_way: Sequence[tuple[Work, Future[Heard]]]
    pool: ThreadPoolExecutor

    def stop(self) -> "Future[Stopped]":
        """Send the signal, without waiting for what comes of it."""
        stop = self.gateway.target.stop
        if stop is None:
            pytest.skip("NOT RUN: process: the target cannot be stopped")
        return self.pool.submit(_stopped, stop)

    def answers(self) -> list[tuple[Work, Heard]]:
        """Return how the requests have ended, once they have."""
        return [(work, each.result()) for work, each in self.under_way]


@dataclass(frozen=True, slots=True)
class Stopped:
    """How a gateway has ended: its exit status, the moment of the signal and that of its end, in monotonic seconds."""

    status: int
    signalled_s: float
    ended_s: float


class Begin(Protocol):
    """Starts a gateway with so long to drain, and lets so many requests of each kind be under way."""

    def __call__(self, works: Sequence[Work], drain_s: float, copies: int = COPIES) -> Shutdown: ...


@pytest.fixture
def begin(launch: Launch, simulators: SimulatorServer) -> Iterator[Begin]:
    """What begins a shutdown; its gateway ends with the test."""
    with ThreadPoolExecutor(64) as pool:

        def start(works: Sequence[Work], drain_s: float, copies: int = COPIES) -> Shutdown:
            world = simulators.world()
            tracks = [Track.lay(world, work.name, Wish(chain=work.chain)) for work in works]
            change = change_for(tracks, {})
            environment = {**change.environment, "GATEWAY_DRAIN_TIMEOUT_S": f"{drain_s:g}"}
            gateway = launch(replace(change, environment=environment))
            gateway.notes.mask = gateway.notes.mask.with_known(key_of_lanes=KEY)
            lanes = [Lane(gateway, track) for track in tracks]
            for work, lane in zip(works, lanes, strict=True):
                _stage(work, lane, copies)
            under_way = [
                (work, pool.submit(lane.ask, work.face, stream=work.stream))
                for work, lane in zip(works, lanes, strict=True)
                for _copy in range(copies)
            ]
            for work, lane in zip(works, lanes, strict=True):
                _wait_until_under_way(work, lane, copies)
            return Shutdown(gateway=gateway, lanes=lanes, under_way=under_way, pool=pool)

        yield start


@pytest.mark.needs("messages", "responses")
@pytest.mark.regression("R126", "R128")
def test_what_is_under_way_is_finished(begin: Begin) -> None:
    """Whatever is under way at the signal, in whichever phase, is finished; and then the gateway ends."""
    shutdown = begin(FINISHING, 20)
    stopping = shutdown.stop()
    answers = shutdown.answers()
    stopped = stopping.result()
    lost = [f"{work.name}: {heard}" for work, heard in answers if heard.end is not End.ANSWER]
    assert not lost, f"{len(lost)} of {len(answers)} were lost: {'; '.join(lost)}"
    assert stopped.status == 0, f"the gateway has ended with status {stopped.status}"
    late_s = stopped.ended_s - max(heard.ended_s for _work, heard in answers)
    shutdown.gateway.notes.measure("from the last answer to the end of the gateway", round(late_s, 3), "s")
    assert late_s <= LATE_S, f"the gateway has ended {late_s:.2f} s after its last answer"


@pytest.mark.needs("messages", "responses")
@pytest.mark.regression("R126", "R128")
def test_what_outlasts_the_grace_is_told(begin: Begin) -> None:
    """What is not finished in the time to drain ends with an explicit error; no call to a provider is left behind."""
    drain_s = 0.7
    shutdown = begin(ENDLESS_WORK, drain_s)
    stopping = shutdown.stop()
    answers = shutdown.answers()
    stopped = stopping.result()
    untold = [
        f"{work.name}: {heard}" for work, heard in answers if heard.end is not End.ERROR or not heard.code
    ]
    assert not untold, f"{len(untold)} of {len(answers)} were told nothing: {'; '.join(untold)}"
    hasty = [work.name for work, heard in answers if heard.ended_s < stopped.signalled_s + drain_s - 0.05]
    assert not hasty, f"the time to drain was not theirs: {hasty}"
    assert stopped.status == 0, f"the gateway has ended with status {stopped.status}"
    took_s = stopped.ended_s - stopped.signalled_s
    late_s = round(took_s - drain_s, 3)
    shutdown.gateway.notes.measure("from the end of the grace to that of the gateway", late_s, "s")
    assert took_s <= drain_s + LATE_S, (
        f"the gateway has ended after {took_s:.2f} s, and {drain_s:g} s are its time"
    )
    left = [told(lane) for lane in shutdown.lanes if any(call.outcome == "open" for call in lane.calls())]
    assert not left, f"calls to providers go on: {left}"


@pytest.mark.needs("probes")
@pytest.mark.regression("R126")
def test_who_comes_late_is_refused(begin: Begin) -> None:
    """After the signal requests are refused by a clear 503 and readiness says no, while liveness does not fail."""
    shutdown = begin(FINISHING[:1], 20)
    gateway = shutdown.gateway
    with _kept_connection(gateway) as ask_again:
        stopping = shutdown.stop()
        ready = _wait_until_not_ready(gateway)
        late = [
            CHAT.ask(gateway.user, shutdown.lanes[0].model, QUESTION, stream=each) for each in (False, True)
        ]
        kept = ask_again()
        alive = gateway.nobody.get(gateway.target.routes.live or "/").status
    assert all(heard.end is End.ANSWER for _work, heard in shutdown.answers()), "what was under way was lost"
    assert (ready, alive) == (503, 200), f"readiness says {ready}, liveness {alive}"
    for heard in late:
        assert (heard.end, heard.status) == (End.ERROR, 503), f"who came late was told {heard}"
        assert heard.code, "the refusal has no code"
    assert kept == 503, f"on a connection that was there before the answer is {kept}"
    assert stopping.result().status == 0, "the gateway has not ended in good order"
    asked = len(shutdown.lanes[0].calls())
    assert asked == COPIES, f"providers were asked for who came late: {asked} calls"


@pytest.mark.regression("R127")
def test_caller_who_leaves_holds_nothing_up(begin: Begin) -> None:
    """A caller who leaves during the shutdown is waited for no longer, and an idle connection is not at all."""
    shutdown = begin((Work(name="stalled", stream=True, primary=Stall(2)),), 20, copies=0)
    lane = shutdown.lanes[0]
    with _kept_connection(shutdown.gateway), calling(lane.gateway.target, lane.model, stream=True) as caller:
        caller.hear(b"Loire")
        stopping = shutdown.stop()
        assert not wait([stopping], NOTICED_S).done, "a caller who is still there was not waited for"
        left_s = caller.leave()
        stopped = stopping.result()
    took_s = stopped.ended_s - left_s
    assert (stopped.status, took_s <= LATE_S) == (0, True), f"status {stopped.status} after {took_s:.2f} s"


def _stage(work: Work, lane: Lane, copies: int) -> None:
    step = Chain(SAID, work.primary)
    if work.once:
        lane.primary.script(*[step] * copies)
    else:
        lane.primary.always(step, for_="chat")
    lane.fallback.always(Chain(SAID, work.fallback), for_="chat")


def _wait_until_under_way(work: Work, lane: Lane, copies: int) -> None:
    """Return once all requests of a kind have come to where they are to be at the signal."""

    def is_at_provider() -> bool:
        calls = lane.calls()
        has_begun = work.keeps_waiting or all(call.first_byte_s is not None for call in calls)
        return len(calls) >= copies * work.calls and has_begun

    def is_at_caller() -> bool:
        asked = [call for call in transcript.calls if call.body["model"] == lane.model]
        return all(call.response_lines for call in asked)

    transcript = lane.gateway.notes.transcript
    assert lane.track.world.journal.wait_until(is_at_provider, UNDER_WAY_WITHIN_S), f"{work.name}: not asked"
    if work.stream and not work.keeps_waiting:
        assert transcript.wait_until(is_at_caller, UNDER_WAY_WITHIN_S), f"{work.name}: nothing has come"


def _stopped(stop: Callable[[], int]) -> Stopped:
    signalled_s = time.monotonic()
    status = stop()
    return Stopped(status, signalled_s, time.monotonic())


def _wait_until_not_ready(gateway: Connection) -> int:
    """Return what readiness says once the signal must have been noticed."""
    path = gateway.target.routes.ready or "/"
    latest_s = time.monotonic() + NOTICED_S
    status, _is_not_ready = ask_until(
        lambda: gateway.nobody.get(path).status, lambda status: status != HTTPStatus.OK, latest_s, _PAUSE_S
    )
    return status


@contextmanager
def _kept_connection(gateway: Connection) -> Iterator[Callable[[], int]]:
    """Open a connection that stays, and yield what asks for chat on it and returns the status of the answer."""
    address = urlsplit(gateway.target.url)
    connection = HTTPConnection(address.hostname or "", address.port, timeout=5)
    key = {"authorization": f"Bearer {gateway.target.keys.user}"}

    def exchange(method: str, path: str, body: str | None = None) -> int:
        connection.request(method, path, body=body, headers={**key, "content-type": "application/json"})
        response = connection.getresponse()
        response.read()
        return response.status

    model = next(iter(gateway.target.models))
    with closing(connection):
        exchange("GET", "/v1/models")
        yield lambda: exchange("POST", CHAT.path, json.dumps(CHAT.body(model, QUESTION)))
