import asyncio
import threading
from collections.abc import Callable
from typing import Any

import pytest

from gateway.config.resilience import Chain, Triggers
from gateway.kernel.codes import ReasonCode
from gateway.kernel.errors import ExhaustedError, ProviderError, ProviderFailure
from suites.unit.gateway.conftest import Serve, Stage
from suites.unit.gateway.fake_provider import FakeProvider, Reply, Wire, hang_up, stall, status, stream
from suites.unit.gateway.lined_up import QUICK, await_that, caller_at, decisions_of, line_of, told_of
from suites.unit.gateway.scripted import DECLINED, REFUSED, Scene, Step, decline, forever, give, refuse
from suites.unit.gateway.wire_texts import GOOD_STREAM, ROLE, completion

ANSWER = status(200, completion())
SOON = {"hedge_after_s": 0.02}

# By HTTP: what callers and providers see.


@pytest.mark.parametrize(
    ("replies", "form"),
    [((stall, ANSWER), "plain"), ((stream(ROLE, after=stall), stream(*GOOD_STREAM)), "stream")],
    ids=["plain", "stream"],
)
def test_next_one_answers_where_the_first_takes_its_time(
    stage_of: Callable[..., Stage],
    provider: FakeProvider,
    fallback: FakeProvider,
    replies: tuple[Reply, Reply],
    form: str,
) -> None:
    """The answer is the faster one's, and the slower one sees its caller leave."""
    stage = stage_of(line_of(provider, fallback, chain=SOON))
    provider.then(replies[0])
    fallback.then(replies[1])

    response = stage.chat(stream=form == "stream")

    assert response.headers["x-gateway-provider"] == "at_second"
    assert response.headers["x-gateway-attempts"] == "2"
    assert told_of(stage, response, "decision", "outcome") == [
        ("primary", "cancelled"),
        ("hedge", "answered"),
    ]
    assert provider.caller_left.wait(5)


def test_first_one_may_still_win(
    stage_of: Callable[..., Stage], provider: FakeProvider, fallback: FakeProvider
) -> None:
    """Whoever was asked first answers too, if it is faster in the end; the other sees its caller leave."""
    release = threading.Event()

    async def late(writer: Wire) -> None:
        await asyncio.to_thread(release.wait, 5)
        await ANSWER(writer)

    async def never(writer: Wire) -> None:
        release.set()
        await stall(writer)

    stage = stage_of(line_of(provider, fallback, chain=SOON))
    provider.then(late)
    fallback.then(never)

    response = stage.chat()

    assert response.headers["x-gateway-provider"] == "at_first"
    assert told_of(stage, response, "decision", "outcome") == [
        ("primary", "answered"),
        ("hedge", "cancelled"),
    ]
    assert fallback.caller_left.wait(5)


def test_fast_answer_costs_one_call(
    stage_of: Callable[..., Stage], provider: FakeProvider, fallback: FakeProvider
) -> None:
    """Nobody else is asked where the first answers in time."""
    stage = stage_of(line_of(provider, fallback, chain={"hedge_after_s": 5}))
    provider.then(ANSWER)

    assert decisions_of(stage, stage.chat()) == [("first", "primary")]
    assert not fallback.received


def test_failure_does_not_wait_for_the_hedge(
    stage_of: Callable[..., Stage], provider: FakeProvider, fallback: FakeProvider
) -> None:
    """Where the first fails before its time is up, the next is asked at once."""
    stage = stage_of(line_of(provider, fallback, chain={"hedge_after_s": 600}))
    provider.then(hang_up)
    fallback.then(ANSWER)

    assert decisions_of(stage, stage.chat()) == [("first", "primary"), ("second", "fallback")]


def test_both_fail(stage_of: Callable[..., Stage], new_provider: Callable[[], FakeProvider]) -> None:
    """Where everybody fails, the caller hears of it once, after each was asked once."""
    line = [new_provider() for _ in range(3)]
    stage = stage_of(line_of(*line, chain=SOON, timeouts=QUICK))
    line[0].then(stall)

    response = stage.chat()

    assert (response.status_code, response.json()["error"]["code"]) == (503, "ALL_PROVIDERS_FAILED")
    assert [len(provider.received) for provider in line] == [1, 1, 1]


def test_nobody_who_is_left_alone_is_asked_besides(
    stage_of: Callable[..., Stage], provider: FakeProvider, fallback: FakeProvider
) -> None:
    """Impatience is no reason to try a target that is better left alone."""
    breaker = {"failures": 1, "probe_interval_s": 600}
    registry = line_of(provider, fallback, chain=SOON, resilience={"breaker": breaker}, timeouts=QUICK)
    stage = stage_of(registry)
    fallback.then(hang_up)
    stage.chat("second")
    provider.then(stall)

    response = stage.chat()

    # It is the last resort only once the first has failed.
    assert decisions_of(stage, response) == [("first", "primary"), ("second", "last_resort")]
    assert [told[0] for told in told_of(stage, response, "outcome")] == ["failed", "failed"]


def test_callers_leaving_ends_both_calls(
    provider: FakeProvider, fallback: FakeProvider, serve: Serve
) -> None:
    """When the caller leaves while two are asked, both see it."""
    served = serve(line_of(provider, fallback, chain=SOON))
    provider.then(stall)
    fallback.then(stall)
    body = b'{"model": "first", "messages": [{"role": "user", "content": "Hi"}]}'

    with caller_at(served.url, body):
        await_that(fallback.called.is_set)
        provider.caller_left.clear()
        fallback.caller_left.clear()

    assert provider.caller_left.wait(5)
    assert fallback.caller_left.wait(5)


def test_hung_target_is_not_waited_for_by_every_caller(
    stage_of: Callable[..., Stage], provider: FakeProvider, fallback: FakeProvider
) -> None:
    """A target that is overtaken several times in a row is left alone, though no call to it ever ended."""
    breaker = {"failures": 2, "probe_interval_s": 600}
    stage = stage_of(line_of(provider, fallback, chain=SOON, resilience={"breaker": breaker}))
    provider.then(stall, stall)
    fallback.then(ANSWER, ANSWER, ANSWER)
    for _ in range(2):
        stage.chat()

    assert decisions_of(stage, stage.chat()) == [("first", "passed_over"), ("second", "fallback")]


# By hand: what hangs upon the order of events.


def scene_of(triggers: Triggers | None = None, **scripts: Step) -> Scene:
    return Scene(Chain(hedge_after_s=0.001, triggers=triggers or Triggers()), scripts)


def after(signal: Callable[[], asyncio.Event], then: Step) -> Step:
    async def step() -> Any:
        await signal().wait()
        return await then()

    return step


def test_never_more_than_two_at_once() -> None:
    """A third is asked only when one of the two has failed."""
    scene = scene_of(a=forever, b=refuse, c=refuse, d=give)

    scene.answer()

    assert scene.calls.most == 2
    assert [name for name, _decision, _outcome in scene.told] == ["a", "b", "c", "d"]


def test_request_that_the_hedge_declines_may_please_the_first() -> None:
    """What only the second finds fault with is answered by the first, as it would have been without the second."""
    declined = asyncio.Event()

    async def tell() -> None:
        declined.set()
        raise ProviderError(DECLINED)

    scene = scene_of(a=after(lambda: declined, give), b=tell, c=give)

    assert scene.answer().candidate.model.name == "a"
    assert scene.told == [("a", "primary", "answered"), ("b", "hedge", "failed")]


def test_request_that_the_first_declines_is_declined() -> None:
    """What the first finds fault with is not shopped around, whoever else is at it already."""
    begun = asyncio.Event()

    async def begin() -> None:
        begun.set()
        await forever()

    scene = scene_of(a=after(lambda: begun, decline), b=begin)

    with pytest.raises(ProviderError) as caught:
        scene.answer()

    assert caught.value.failure is DECLINED
    assert scene.told == [("a", "primary", "failed"), ("b", "hedge", "cancelled")]


def test_fault_of_the_gateway_is_not_hidden_by_the_other_call() -> None:
    """An error in the code is heard of, and leaves no call behind."""

    async def fail() -> None:
        raise KeyError("a fault")

    scene = scene_of(a=forever, b=fail)

    with pytest.raises(KeyError):
        scene.answer()

    assert scene.calls.running == 0


def test_everybody_fails_once() -> None:
    """The failures of both are told, in the order in which they came."""
    scene = scene_of(a=forever, b=refuse)
    failed = asyncio.Event()
    scene.calls.scripts["a"] = after(lambda: failed, refuse)

    async def fail() -> None:
        failed.set()
        raise ProviderError(ProviderFailure(reason=ReasonCode.PROVIDER_DEGRADED, detail=""))

    scene.calls.scripts["b"] = fail

    with pytest.raises(ExhaustedError) as caught:
        scene.answer()

    told = [failure.reason for failure in caught.value.failures]
    assert told == [ReasonCode.PROVIDER_DEGRADED, ReasonCode.CONNECTION_FAILED]


def test_two_streams_that_begin_at_once_leave_one_open() -> None:
    """Where both answer in the same moment, the first one's stream is the caller's and the other's is closed."""

    async def story(scene: Scene) -> Any:
        begun, together = asyncio.Event(), asyncio.Event()

        async def begin() -> None:
            begun.set()
            await together.wait()

        scene.calls.scripts.update(a=together.wait, b=begin)
        opening = asyncio.create_task(scene.failover.open(scene.order, scene.candidates))
        await begun.wait()
        together.set()
        return await opening

    scene = scene_of(a=forever, b=forever)
    served = scene.play(story(scene))

    assert served.candidate.model.name == "a"
    assert {name: each.closed for name, each in scene.calls.streams.items()} == {"a": False, "b": True}
    assert scene.told == [("a", "primary", "answered"), ("b", "hedge", "cancelled")]
    assert scene.order.account._answered_by is scene.candidates[0]  # noqa: SLF001  what the log will tell


def test_callers_leaving_closes_a_stream_that_has_just_begun() -> None:
    """A caller who leaves in the moment in which the winner is found leaves no stream open."""

    async def story(scene: Scene) -> None:
        begun, stopping = asyncio.Event(), asyncio.Event()

        async def linger() -> None:
            begun.set()
            try:
                await forever()
            finally:
                stopping.set()
                await asyncio.sleep(0)

        scene.calls.scripts.update(a=linger, b=begun.wait)
        opening = asyncio.create_task(scene.failover.open(scene.order, scene.candidates))
        await stopping.wait()
        opening.cancel()
        await asyncio.gather(opening, return_exceptions=True)

    scene = scene_of(a=forever, b=forever)
    scene.play(story(scene))

    assert scene.calls.streams["b"].closed
    assert scene.told == [("a", "primary", "cancelled"), ("b", "hedge", "cancelled")]
    assert scene.calls.running == 0


def test_slow_target_is_not_blamed_where_waits_are_no_reason_to_move_on() -> None:
    """An operator for whom a wait is no failure does not find a target left alone because of one."""
    for triggers, counted in ((Triggers(), 1), (Triggers(timeout=False), 0)):
        scene = scene_of(triggers, a=forever, b=give)
        scene.answer()
        assert len(scene.health._troubles) == counted  # noqa: SLF001  there is no other way to see it


def test_target_that_falls_ill_meanwhile_is_not_asked() -> None:
    """Whether somebody is well enough to be asked besides is seen when the time has come, not before."""
    begun, answered = asyncio.Event(), asyncio.Event()

    async def begin() -> Any:
        begun.set()
        await answered.wait()
        return await give()

    async def story(scene: Scene) -> None:
        answering = asyncio.create_task(scene.failover.answer(scene.order, scene.candidates))
        await begun.wait()
        scene.note("b", REFUSED, asyncio.get_running_loop().time())
        await asyncio.sleep(0.05)  # more than the patience of the race
        answered.set()
        await answering

    scene = Scene(Chain(hedge_after_s=0.02), {"a": begin, "b": give})
    scene.play(story(scene))

    assert scene.told == [("a", "primary", "answered")]
