"""Callers who leave: whatever is done for them ends with them, in every phase, and harms nobody else."""

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, get_args

import pytest

from fixtures.simulators.journal import Call
from fixtures.simulators.steps import Chain, Cut, HoldBody, Say, Slow, Stall, Status, Step
from fixtures.simulators.text import Reply, words_of
from suites.chaos.hearing import FACES, Face
from suites.chaos.journals import ended, is_anybody_asked, place_of, told, wait_until_asked
from suites.chaos.lanes import PROBE_INTERVAL_S, Lane
from suites.chaos.leaving import Manner, calling
from suites.chaos.spoiling import Waits

pytestmark = [
    pytest.mark.item("PL-105"),
    pytest.mark.needs("chat", "streaming", "fallback", "configuration", "upstreams"),
]

ENDED_WITHIN_S = 1.0
"""How soon after its caller's leaving a call to a provider must be over."""

TEXT = "The Loire is the longest river of France."
SAID = Say(Reply(tokens=words_of(TEXT)))
ENDLESS = Say(Reply(tokens=tuple(f"word{number} " for number in range(400))))

MANNERS: tuple[Manner, ...] = get_args(Manner)

RETRY_AFTER_S = 0.4


@dataclass(frozen=True, slots=True, kw_only=True)
class Phase:
    """What is under way when the caller leaves: what the providers do, and which of them are being asked.

    `heard` is what the caller must have by then; `chain` are the settings of the lane's chain.
    """

    primary: Step
    fallback: Step | None = None
    streams: tuple[bool, ...] = (False, True)
    heard: str | None = None
    chain: Mapping[str, Any] = field(default_factory=dict)
    asked: tuple[int, ...] = (1,)
    open: tuple[int, ...] = (1,)


STREAMED = (True,)

PHASES: Mapping[str, Phase] = {
    "before the head": Phase(primary=Stall("before headers")),
    "before the body": Phase(primary=HoldBody()),
    "within the body": Phase(primary=Stall(2), streams=(False,)),
    "in the preamble": Phase(primary=Stall("preamble"), streams=STREAMED),
    "in a stream that stalls": Phase(primary=Stall(2), streams=STREAMED, heard="The"),
    "in a lively stream": Phase(primary=Slow(0, gap_ms=20), streams=STREAMED, heard="word3"),
    "after the finish reason": Phase(primary=Stall("before usage"), streams=STREAMED, heard="Loire"),
    "in a stream that is held": Phase(primary=Stall(2), streams=STREAMED, chain={"rescue": "hold"}),
    "after a failover": Phase(primary=Status(500), fallback=Stall("before headers"), asked=(1, 2), open=(2,)),
    "in a stream after a failover": Phase(
        primary=Cut("preamble", "rst"),
        fallback=Stall(2),
        streams=STREAMED,
        heard="The",
        asked=(1, 2),
        open=(2,),
    ),
    "in a retry": Phase(
        primary=Stall("before headers"),
        chain={"retries": {"attempts": 1, "backoff_s": 0.01}},
        asked=(1, 1),
        open=(1,),
    ),
    "in a hedge": Phase(
        primary=Stall("before headers"),
        fallback=Stall("before headers"),
        chain={"hedge_after_s": 0.1},
        asked=(1, 2),
        open=(1, 2),
    ),
    "in a rescue by replay": Phase(
        primary=Cut(2, "rst"),
        fallback=Stall("before headers"),
        streams=STREAMED,
        heard="The",
        chain={"rescue": "replay"},
        asked=(1, 2),
        open=(2,),
    ),
    "in a replay that repeats": Phase(
        primary=Cut(4, "rst"),
        fallback=Stall(2),
        streams=STREAMED,
        heard="The",
        chain={"rescue": "replay"},
        asked=(1, 2),
        open=(2,),
    ),
    "in a rescue by continuing": Phase(
        primary=Cut(2, "rst"),
        fallback=Stall("before headers"),
        streams=STREAMED,
        heard="The",
        chain={"rescue": "continue"},
        asked=(1, 2),
        open=(2,),
    ),
}


def _over_phases() -> Iterator[Any]:
    for name, phase in PHASES.items():
        for stream in phase.streams:
            for manner in MANNERS:
                way = "streamed" if stream else "whole"
                kinds = ("openai", "vllm")
                mark = pytest.mark.lane(kinds=kinds, chain=phase.chain)
                yield pytest.param(phase, stream, manner, id=f"{name}-{way}-{manner}", marks=mark)


@pytest.mark.regression("R127")
@pytest.mark.parametrize(("phase", "stream", "manner"), list(_over_phases()))
def test_every_call_ends_with_its_caller(lane: Lane, phase: Phase, manner: Manner, *, stream: bool) -> None:
    """Whatever is under way for a caller when it leaves is ended within a second, and nothing is begun for it."""
    _stage(lane, phase)
    with calling(lane.gateway.target, lane.model, stream=stream, request_id=lane.model) as caller:
        if phase.heard:
            caller.hear(phase.heard.encode())
        wait_until_asked(lane, phase.asked)
        open_places = [place_of(call) for call in lane.calls() if call.outcome == "open"]
        assert open_places == list(phase.open), f"not what was to be under way: {told(lane)}"
        left_s = caller.leave(manner)
    took_s = [_ended_after_s(lane, call, left_s) for call in lane.calls()[-len(phase.open) :]]
    lane.gateway.notes.measure("from the caller's leaving to the end of the call", round(max(took_s), 4), "s")
    assert lane.asked() == list(phase.asked), "somebody was asked for a caller who has left"


@pytest.mark.regression("R127")
@pytest.mark.needs("messages", "responses")
@pytest.mark.parametrize("face", FACES, ids=str)
@pytest.mark.parametrize("place", ["before headers", "in the stream"])
def test_leaving_is_noticed_on_every_face(lane: Lane, face: Face, place: str) -> None:
    """Through whichever face it asked, a caller who leaves ends the call to the provider."""
    early = place == "before headers"
    lane.primary.always(Chain(SAID, Stall("before headers" if early else 2)), for_="chat")
    with calling(lane.gateway.target, lane.model, stream=True, face=face) as caller:
        if not early:
            caller.hear(b"The")
        wait_until_asked(lane, (1,))
        left_s = caller.leave()
    _ended_after_s(lane, lane.calls()[0], left_s)


@pytest.mark.regression("R127")
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize(
    "wait",
    [
        pytest.param({}, id="backoff"),
        pytest.param({"retry-after-ms": f"{RETRY_AFTER_S * 1000:.0f}"}, id="Retry-After"),
    ],
)
@pytest.mark.lane(chain={"retries": {"attempts": 2, "backoff_s": RETRY_AFTER_S, "jitter": 0}})
def test_nobody_is_asked_again_for_who_has_left(lane: Lane, wait: Mapping[str, str], *, stream: bool) -> None:
    """A caller who leaves while the gateway waits before a second try is not tried for again, here or elsewhere."""
    lane.primary.always(Chain(Status(429), Waits(wait)), for_="chat")
    with calling(lane.gateway.target, lane.model, stream=stream) as caller:
        wait_until_asked(lane, (1,))
        ended(lane, lane.calls()[0], within_s=ENDED_WITHIN_S)
        caller.leave()
    is_asked = is_anybody_asked(lane, RETRY_AFTER_S + 0.3)
    assert not is_asked, "somebody was asked for a caller who has left"


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("place", ["before headers", "in the answer"])
def test_leaving_says_nothing_of_the_provider(lane: Lane, place: str, *, stream: bool) -> None:
    """Callers who lose their patience, however many, do not make a provider seem ill."""
    has_begun = place == "in the answer"
    step = Stall(2) if has_begun else Stall("before headers")
    lane.primary.script(*[Chain(SAID, step)] * 6)
    for number in range(1, 7):
        with calling(lane.gateway.target, lane.model, stream=stream) as caller:
            if stream and has_begun:
                caller.hear(b"The")
            wait_until_asked(lane, (1,) * number)
            left_s = caller.leave()
        _ended_after_s(lane, lane.calls()[-1], left_s)
    heard = lane.ask(stream=stream)
    assert heard.is_answer(lane.text_of(1)), f"a provider that is well is passed by: {heard}"


def test_trial_is_free_again_once_its_caller_has_left(lane: Lane) -> None:
    """A caller who leaves while its request tries whether a provider is well again does not keep it from being used."""
    lane.primary.always(Cut("before headers", "rst"), for_="any")
    lane.ask(stream=False)
    lane.primary.heal()
    lane.primary.always(Stall("before headers"), for_="chat")
    _leave_during_the_trial(lane)
    lane.primary.heal()
    took_s = lane.wait_until_answered_by(1, PROBE_INTERVAL_S + 1)
    lane.gateway.notes.measure("from an abandoned trial to the next one", round(took_s, 3), "s")


@pytest.mark.needs("admin-keys")
def test_attempt_of_who_has_left_is_shown_as_cancelled(lane: Lane) -> None:
    """What became of the request can be read afterwards: its attempt was cancelled, and neither answered nor failed."""
    lane.primary.always(Stall("before headers"), for_="chat")
    request_id = f"left-{lane.model}"
    with calling(lane.gateway.target, lane.model, stream=False, request_id=request_id) as caller:
        wait_until_asked(lane, (1,))
        left_s = caller.leave()
    _ended_after_s(lane, lane.calls()[0], left_s)
    answer = lane.gateway.admin.get(f"/api/v1/requests/{request_id}/attempts")
    outcomes = [(each["provider"], each["outcome"]) for each in answer.field("attempts")]
    assert outcomes == [(lane.primary.name, "cancelled")], "the record says something else"


def _stage(lane: Lane, phase: Phase) -> None:
    said = ENDLESS if isinstance(phase.primary, Slow) else SAID
    lane.primary.always(Chain(said, phase.primary), for_="chat")
    if phase.asked == (1, 1):
        lane.primary.heal()
        lane.primary.script(Status(503), Chain(said, phase.primary))
    if phase.fallback:
        lane.fallback.always(Chain(SAID, phase.fallback), for_="chat")


def _leave_during_the_trial(lane: Lane) -> None:
    """Ask until a request is sent to the first provider as a trial, and leave there."""
    deadline_s = time.monotonic() + PROBE_INTERVAL_S + 2
    before = lane.asked().count(1)
    left_s = 0.0
    while lane.asked().count(1) == before:
        assert time.monotonic() < deadline_s, "no trial was made"
        with calling(lane.gateway.target, lane.model, stream=False) as caller:
            lane.track.world.journal.wait_until(lambda: lane.asked().count(1) > before, 0.1)
            left_s = caller.leave()
    trial = [call for call in lane.calls() if place_of(call) == 1][-1]
    _ended_after_s(lane, trial, left_s)


def _ended_after_s(lane: Lane, call: Call, left_s: float) -> float:
    """Return how long after the caller's leaving a call was ended, which must be by the gateway and in time."""
    over = ended(lane, call, within_s=ENDED_WITHIN_S + 2)
    assert over.outcome == "client gone", f"the call ended by itself: {over.outcome}"
    took_s = (over.ended_s or left_s) - left_s
    assert took_s <= ENDED_WITHIN_S, f"the call went on for {took_s:.2f} s after its caller had left"
    return took_s
