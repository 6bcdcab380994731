"""A failover whose calls to providers follow a script: for what hangs upon the order of events."""

import asyncio
import io
from collections.abc import Awaitable, Callable
from random import Random
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

from gateway.config.registry import Model
from gateway.config.resilience import BreakerSettings, Chain, HealthChecks
from gateway.engine.accounting import Account
from gateway.engine.attempting import Attempting
from gateway.engine.attempts import Attempt, TrailLog
from gateway.engine.calls import Calls, Order, Served, StreamStart
from gateway.engine.failover import Failover, Sleep
from gateway.engine.health import Health
from gateway.kernel.clock import Clock, SystemClock
from gateway.kernel.codes import ReasonCode
from gateway.kernel.errors import ProviderError, ProviderFailure
from gateway.kernel.logs import build_log
from gateway.kernel.masking import Scrubber
from gateway.policy.fallback import Candidate
from gateway.schema.chat import ChatRequest
from gateway.schema.deltas import ChatChunk
from suites.unit.gateway.conftest import registry_of

if TYPE_CHECKING:
    from gateway.engine.relay import AnswerStream

REFUSED = ProviderFailure(reason=ReasonCode.CONNECTION_FAILED, detail="refused")
DECLINED = ProviderFailure(reason=ReasonCode.INVALID_REQUEST, detail="declined", status=400)
CHUNK = ChatChunk({"choices": [{"index": 0, "delta": {"content": "Hi"}}]}, delivers=True)
Step = Callable[[], Awaitable[Any]]


class Stream:
    """A stream of which nothing matters but whether it was closed."""

    def __init__(self) -> None:
        self.closed = False

    def close(self) -> None:
        self.closed = True


class ScriptedCalls:
    """Plays the calls to providers: each does what the script of its model says."""

    def __init__(self, scripts: dict[str, Step]) -> None:
        self.scripts = scripts
        self.running = 0
        self.most = 0
        self.streams: dict[str, Stream] = {}

    async def ask(self, order: Any, candidate: Candidate) -> Served[Any]:
        del order
        return Served(await self._play(candidate), candidate, None, ())

    async def start(self, order: Any, candidate: Candidate) -> Served[StreamStart]:
        del order
        await self._play(candidate)
        stream = self.streams[candidate.model.name] = Stream()
        return Served(StreamStart(cast("AnswerStream", stream), [CHUNK]), candidate, None, ())

    async def _play(self, candidate: Candidate) -> Any:
        self.running += 1
        self.most = max(self.most, self.running)
        try:
            return await self.scripts[candidate.model.name]()
        finally:
            self.running -= 1


class Scene:
    """A failover whose calls are scripted, and all that takes notes of it."""

    def __init__(
        self,
        chain: Chain,
        scripts: dict[str, Step],
        *,
        clock: Clock | None = None,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        clock, log_text = clock or SystemClock(), io.StringIO()
        log = build_log("info", log_text, clock, Scrubber([]))
        provider = registry_of({"openai": {}}, {}).providers["openai"]
        self.calls = ScriptedCalls(scripts)
        self.health = Health(BreakerSettings(), HealthChecks(), clock, log)
        self.candidates = [
            Candidate(Model(name=name, provider="openai", upstream_model=name), provider) for name in scripts
        ]
        trails = TrailLog(clock)
        self.failover = Failover(
            calls=cast("Calls", self.calls),
            attempting=Attempting(self.health, clock),
            trails=trails,
            rng=Random(7),  # noqa: S311  it spreads retries
            sleep=sleep,
        )
        self.order: Order[ChatRequest] = Order(
            request=ChatRequest(model="a", body={}, stream=False, include_usage=False),
            answer_id="chatcmpl-1",
            created_s=1_700_000_000,
            chain=chain,
            account=Account("chat", "a", stream=False, clock=clock, log=log),
            trail=trails.open("r-1", "a", stream=False),
        )

    @property
    def told(self) -> list[tuple[str, str, str]]:
        """Returns who was asked, why, and what became of it."""
        return [
            (each.candidate.model.name, each.decision, each.outcome) for each in self.order.trail.attempts
        ]

    def answer(self) -> Any:
        """Lets the failover find an answer; raises what it raises."""
        return self.play(self.failover.answer(self.order, self.candidates))

    def play(self, story: Awaitable[Any]) -> Any:
        async def bounded() -> Any:
            async with asyncio.timeout(5):
                return await story

        return asyncio.run(bounded())

    def note(self, name: str, failure: ProviderFailure, began_s: float) -> None:
        """Notes a failure that another request has met at a target."""
        candidate = next(each for each in self.candidates if each.model.name == name)
        attempt = Attempt(number=1, candidate=candidate, decision="primary", began_s=began_s)
        self.health.note_failure(attempt, failure)


async def forever() -> None:
    await asyncio.Event().wait()


async def refuse() -> None:
    raise ProviderError(REFUSED)


async def decline() -> None:
    raise ProviderError(DECLINED)


async def give() -> Any:
    return SimpleNamespace(usage=None)
