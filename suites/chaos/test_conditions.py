"""Switching by itself: order and conditions of fallbacks read as they are configured, and happen as they read."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest

from fixtures.simulators.steps import Chain, Cut, Stall, Status, Step
from suites.chaos.hearing import End
from suites.chaos.lanes import Lane
from suites.chaos.spoiling import Waits
from suites.chaos.standing import attempts_of, governance_of

pytestmark = pytest.mark.needs("chat", "streaming", "fallback", "configuration", "upstreams")

WAIT_S = 0.4

WAYS = pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """One condition that starts a fallback: the item that asks for it, what provokes it, and what a caller is told.

    `codes` are those with which the failure is told where nobody else is asked.
    """

    item: str
    faults: Mapping[str, Step]
    codes: tuple[str, ...]


CONDITIONS: Mapping[str, Condition] = {
    "timeout": Condition(
        item="PL-028",
        faults={"silent": Stall("before headers"), "silent in the preamble": Stall("preamble")},
        codes=("TIMEOUT",),
    ),
    "auth": Condition(item="PL-029", faults={"401": Status(401), "403": Status(403)}, codes=("AUTH_ERROR",)),
    "budget": Condition(
        item="PL-030",
        faults={"quota": Status(429, error_code="insufficient_quota"), "402": Status(402)},
        codes=("QUOTA_EXHAUSTED",),
    ),
    "degraded": Condition(
        item="PL-031",
        faults={"500": Status(500), "503": Status(503), "cut": Cut("preamble", "end")},
        codes=("PROVIDER_DEGRADED", "STREAM_INTERRUPTED", "INVALID_RESPONSE"),
    ),
    "offline": Condition(
        item="PL-031",
        faults={"closed": Cut("before headers", "fin"), "reset": Cut("before headers", "rst")},
        codes=("connection_failed",),
    ),
    "rate": Condition(
        item="PL-031",
        faults={
            "429": Chain(Status(429), Waits()),
            "429 with a wait": Chain(Status(429), Waits({"retry-after": "30"})),
        },
        codes=("RATE_LIMITED",),
    ),
}
"""Every condition that a fallback policy knows."""


def _over_conditions(*, off: bool) -> pytest.MarkDecorator:
    return pytest.mark.parametrize(
        ("name", "fault"),
        [
            pytest.param(
                name,
                fault,
                id=f"{name}-{cause}",
                marks=[
                    pytest.mark.item("PL-027", condition.item),
                    pytest.mark.lane(
                        timeouts={"first_byte_s": WAIT_S, "whole_s": WAIT_S, "idle_s": WAIT_S},
                        chain={"triggers": {name: False}} if off else {},
                    ),
                ],
            )
            for name, condition in CONDITIONS.items()
            for cause, fault in condition.faults.items()
        ],
    )


@pytest.mark.item("PL-026")
@pytest.mark.needs("fallback-policy")
@pytest.mark.lane(kinds=("openai", "vllm", "anthropic"))
def test_order_can_be_read(lane: Lane) -> None:
    """The order in which providers replace one another reads as it is configured, and is the one that is followed."""
    policy = governance_of(lane.gateway)["fallback_policy"]
    chain = policy["chains"][lane.model]
    assert chain["fallbacks"] == list(lane.track.models[1:]), "another order is shown"
    for provider in lane.track.providers[:2]:
        provider.down()
    assert lane.ask(stream=False).is_answer(lane.text_of(3)), "the last of the order has not answered"
    assert lane.asked() == [1, 2, 3], "another order was followed"


@pytest.mark.item("PL-027")
@pytest.mark.needs("fallback-policy")
def test_every_condition_is_on_by_default(lane: Lane) -> None:
    """Where nothing is configured, every condition that can start a fallback is on, for all and for this chain."""
    policy = governance_of(lane.gateway)["fallback_policy"]
    wanted = dict.fromkeys(CONDITIONS, True)
    assert policy["triggers"] == wanted, "not every condition is shown as on"
    assert policy["chains"][lane.model]["triggers"] == wanted, "not every one is shown as on for the chain"


@pytest.mark.item("PL-027")
@pytest.mark.needs("fallback-policy")
@pytest.mark.lane(chain={"triggers": {"rate": False, "budget": False}})
def test_condition_that_is_off_is_shown_as_off(lane: Lane) -> None:
    """A condition that is switched off for a chain is shown so, and the others are not."""
    triggers = governance_of(lane.gateway)["fallback_policy"]["chains"][lane.model]["triggers"]
    off = {name for name, is_on in triggers.items() if not is_on}
    assert off == {"rate", "budget"}, f"shown as off are {off}"


@WAYS
@_over_conditions(off=False)
def test_condition_starts_a_fallback(lane: Lane, name: str, fault: Step, *, stream: bool) -> None:
    """Each condition, when it really comes about, lets the next of the chain answer, and the record says why."""
    lane.primary.always(fault, for_="any")
    heard = lane.ask(stream=stream)
    assert heard.is_answer(lane.text_of(2)), f"the next provider has not answered: {heard}"
    assert lane.asked() == [1, 2], "not each was asked once"
    recorded = [
        each["reason_code"] for each in attempts_of(lane.gateway, heard) if each["outcome"] == "failed"
    ]
    assert len(recorded) == 1, f"recorded are {recorded}"
    assert recorded[0] in CONDITIONS[name].codes, f"the record says {recorded[0]}"


@WAYS
@_over_conditions(off=True)
def test_condition_that_is_off_starts_none(lane: Lane, name: str, fault: Step, *, stream: bool) -> None:
    """A condition that is switched off starts no fallback: its failure is the caller's answer."""
    lane.primary.always(fault, for_="any")
    heard = lane.ask(stream=stream)
    assert heard.end is End.ERROR, f"it was answered nevertheless: {heard}"
    assert heard.code in CONDITIONS[name].codes, f"the caller is told {heard.code}"
    assert lane.asked() == [1], "the next provider was asked nevertheless"


@pytest.mark.item("PL-027")
@_over_conditions(off=True)
def test_condition_stays_off_while_the_provider_is_left_alone(lane: Lane, name: str, fault: Step) -> None:
    """That a failure is known beforehand changes nothing: what starts no fallback starts none for the next callers."""
    del name
    lane.primary.always(fault, for_="any")
    for _request in range(4):
        heard = lane.ask(stream=False)
        assert heard.end is End.ERROR, f"it was answered by another provider: {heard}"
    assert 2 not in lane.asked(), "the next provider was asked nevertheless"


@pytest.mark.item("UB-035")
@pytest.mark.needs("fallback-policy")
@WAYS
def test_fallback_is_told_afterwards(lane: Lane, *, stream: bool) -> None:
    """Who replaced whom, when, why and for which request can be read, the latest first and ten at most."""
    lane.primary.script(Status(503))
    heard = lane.ask(stream=stream)
    recent = governance_of(lane.gateway)["recent_fallbacks"]
    assert 1 <= len(recent) <= 10, f"{len(recent)} are listed"
    latest = recent[0]
    told = (latest["request_id"], latest["from_provider"], latest["to_provider"], latest["reason_code"])
    wanted = (heard.request_id, lane.primary.name, lane.fallback.name, "PROVIDER_DEGRADED")
    assert told == wanted, f"told is {told}"
    assert latest["message"], "it is not told what went wrong"
    age = datetime.now().astimezone() - datetime.fromisoformat(latest["timestamp"])
    assert timedelta(seconds=-1) < age < timedelta(seconds=10), f"it is told to have been {age} ago"


@pytest.mark.item("UB-035")
@pytest.mark.needs("fallback-policy")
def test_success_is_no_fallback(lane: Lane) -> None:
    """Requests that the first provider answers leave nothing among the fallbacks."""
    heard = [lane.ask(stream=stream) for stream in (False, True)]
    listed = {each["request_id"] for each in governance_of(lane.gateway)["recent_fallbacks"]}
    assert not listed & {each.request_id for each in heard}, "an answer of the first is told as a fallback"


@pytest.mark.item("UB-035")
@pytest.mark.needs("admin-keys")
@WAYS
@pytest.mark.lane(
    kinds=("openai", "vllm", "openai"), chain={"retries": {"attempts": 1, "backoff_s": 0.05, "jitter": 0}}
)
def test_every_attempt_can_be_read(lane: Lane, *, stream: bool) -> None:
    """Each call that was made for a request is recorded, in its order, with why it was made, how it ended, and when."""
    lane.primary.always(Status(503), for_="chat")
    lane.fallback.always(Status(401), for_="chat")
    heard = lane.ask(stream=stream)
    attempts = attempts_of(lane.gateway, heard)
    one, two, three = (provider.name for provider in lane.track.providers)
    shown = [
        (each["provider"], each["decision"], each["outcome"], each["upstream_status"]) for each in attempts
    ]
    assert shown == [
        (one, "primary", "failed", 503),
        (one, "retry", "failed", 503),
        (two, "fallback", "failed", 401),
        (three, "fallback", "answered", None),
    ], f"recorded is {shown}"
    assert [each["number"] for each in attempts] == [1, 2, 3, 4], "they are numbered otherwise"
    moments = [moment for each in attempts for moment in (each["began_ms"], each["ended_ms"])]
    assert moments == sorted(moments), f"the moments are out of order: {moments}"
    assert heard.headers.get("x-gateway-attempts") == "4", "the caller is told another number"
    assert heard.provider == three, "the caller is told another provider"


@pytest.mark.item("UB-035")
@pytest.mark.needs("admin-keys")
def test_record_is_for_operators(lane: Lane) -> None:
    """What was done for a request is shown to operators alone, and of a request that never was it says so."""
    heard = lane.ask(stream=False)
    path = f"/api/v1/requests/{heard.request_id}/attempts"
    statuses = [client.get(path).status for client in (lane.gateway.nobody, lane.gateway.user)]
    assert statuses == [401, 403], f"others are answered {statuses}"
    unknown = lane.gateway.admin.get("/api/v1/requests/there-was-none/attempts")
    assert unknown.status == 404, f"an unknown request is answered {unknown.status}"
