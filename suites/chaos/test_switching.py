"""Switching by hand: whom an operator activates is asked first, and looking at a connection changes nothing.

That what destroys something is refused until it is confirmed (PL-071) is not judged here: an activation destroys
nothing. What is judged is that one which cannot succeed leaves everything as it was.
"""

from concurrent.futures import ThreadPoolExecutor

import pytest

from fixtures.client import Answer
from fixtures.simulators.steps import Cut, Stall, Status, Step
from suites.chaos.hearing import End
from suites.chaos.journals import wait_until_asked
from suites.chaos.lanes import Lane
from suites.chaos.standing import activate, active_of, governance_of, standing_of

pytestmark = pytest.mark.needs("chat", "streaming", "fallback", "configuration", "upstreams")

WAIT_S = 0.4

WAYS = pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])


@pytest.mark.item("PL-103")
@pytest.mark.needs("activation")
@WAYS
@pytest.mark.lane(kinds=("openai", "vllm", "anthropic"))
def test_requests_go_to_the_activated_provider(lane: Lane, *, stream: bool) -> None:
    """The provider that an operator activates is asked first from then on, and so is the former once it is back."""
    for place in (2, 3, 1):
        chosen = lane.track.providers[place - 1]
        answer = activate(lane.gateway, chosen)
        assert answer.status == 200, f"the activation was answered {answer.status}"
        assert (answer.field("status"), answer.field("provider")) == ("success", chosen.name), answer.text
        before = len(lane.asked())
        for _request in range(2):
            heard = lane.ask(stream=stream)
            assert heard.is_answer(lane.text_of(place)), f"provider {place} has not answered: {heard}"
        assert lane.asked()[before:] == [place, place], "others were asked as well"
        assert active_of(lane.gateway) == chosen.name, "another provider is shown as the active one"


@pytest.mark.item("PL-103")
@pytest.mark.needs("activation")
@WAYS
def test_activated_provider_has_its_fallbacks(lane: Lane, *, stream: bool) -> None:
    """Where the activated provider fails, those before it in the chain answer: nobody is taken out by a switch."""
    activate(lane.gateway, lane.fallback)
    lane.fallback.script(Status(500))
    heard = lane.ask(stream=stream)
    assert heard.is_answer(lane.text_of(1)), f"nobody has answered for it: {heard}"
    assert lane.asked() == [2, 1], "not each was asked once"


@pytest.mark.item("PL-103")
@pytest.mark.needs("activation")
@WAYS
def test_switch_can_be_taken_back(lane: Lane, *, stream: bool) -> None:
    """Once an activation is taken back, requests go where they are configured to go."""
    activate(lane.gateway, lane.fallback)
    assert lane.ask(stream=stream).is_answer(lane.text_of(2)), "the activated provider has not answered"
    answer = lane.gateway.admin.request("DELETE", f"/api/v1/providers/{lane.fallback.name}/activate")
    assert answer.status == 200, f"taking it back was answered {answer.status}"
    heard = lane.ask(stream=stream)
    assert heard.is_answer(lane.text_of(1)), f"the configured order does not hold again: {heard}"


@pytest.mark.item("PL-103")
@pytest.mark.needs("activation")
def test_activation_concerns_nobody_else(lane: Lane) -> None:
    """Requests for a model that the activated provider has no part in go where they went."""
    activate(lane.gateway, lane.fallback)
    heard = lane.ask_sibling()
    assert heard.end is End.ANSWER, f"not answered: {heard}"
    assert lane.asked() == [1], "the request was led to another provider"


@pytest.mark.item("PL-103")
@pytest.mark.needs("activation", "connection-test")
@pytest.mark.parametrize(
    "fault",
    [Cut("before headers", "fin"), Status(500), Status(401), Stall("before headers")],
    ids=["closed", "500", "rejected key", "silent"],
)
@pytest.mark.lane(timeouts={"first_byte_s": WAIT_S})
def test_provider_that_is_away_is_not_activated(lane: Lane, fault: Step) -> None:
    """A switch to a provider that cannot answer is refused and says why; the former one goes on being asked first."""
    activate(lane.gateway, lane.fallback)
    lane.primary.always(fault, for_="any")
    answer = activate(lane.gateway, lane.primary)
    assert answer.status == 503, f"the activation was answered {answer.status}"
    assert answer.field("detail", "reason_code") == "PROVIDER_OFFLINE", "the refusal has another reason"
    assert active_of(lane.gateway) == lane.fallback.name, "another provider is shown as the active one"
    lane.primary.heal()
    assert lane.ask(stream=False).is_answer(lane.text_of(2)), "the refused switch was made nevertheless"


@pytest.mark.item("PL-103")
@pytest.mark.needs("activation", "admin-keys")
def test_switch_is_closed_to_others(lane: Lane) -> None:
    """Who may only ask cannot switch, nor can what does not exist be switched to; nothing has changed afterwards."""
    path = f"/api/v1/providers/{lane.fallback.name}/activate"
    gateway = lane.gateway
    assert (gateway.nobody.post(path).status, gateway.user.post(path).status) == (401, 403), "it is open"
    unknown = gateway.admin.post("/api/v1/providers/there-is-none/activate")
    assert unknown.status == 404, f"an unknown provider is answered {unknown.status}"
    foreign = gateway.admin.post(path, {"model": lane.model})
    assert foreign.status in {400, 404}, f"a model of another provider is answered {foreign.status}"
    assert lane.ask(stream=False).is_answer(lane.text_of(1)), "a switch was made"


@pytest.mark.item("PL-103")
@pytest.mark.needs("activation")
def test_switch_loses_nothing(lane: Lane) -> None:
    """A stream that is under way when the active provider changes is finished by the one that began it."""
    lane.primary.always(Stall(3, 0.5), for_="chat")
    with ThreadPoolExecutor(1) as pool:
        under_way = pool.submit(lane.ask, stream=True)
        wait_until_asked(lane, [1])
        activate(lane.gateway, lane.fallback)
        later = lane.ask(stream=True)
        heard = under_way.result()
    assert later.is_answer(lane.text_of(2)), f"not answered by the activated one: {later}"
    assert heard.is_answer(lane.text_of(1)), f"the stream under way was lost: {heard}"


@pytest.mark.item("PL-070")
@pytest.mark.needs("connection-test", "providers", "fallback-policy")
@pytest.mark.parametrize("is_well", [True, False], ids=["well", "away"])
def test_repeated_connection_test_changes_nothing(lane: Lane, *, is_well: bool) -> None:
    """However often the connection is tested, to a provider that is well or not, everything goes on as it went."""
    if not is_well:
        lane.fallback.always(Cut("before headers", "fin"), for_="any")
    first = _test_connection(lane)
    before = (standing_of(lane.gateway, lane.fallback), active_of(lane.gateway), governance_of(lane.gateway))
    results = [_test_connection(lane) for _repetition in range(3)]
    assert {_meaning(each) for each in results} == {_meaning(first)}, "a repetition is answered otherwise"
    after = (standing_of(lane.gateway, lane.fallback), active_of(lane.gateway), governance_of(lane.gateway))
    assert after == before, "the state has changed"
    heard = lane.ask(stream=False)
    assert heard.is_answer(lane.text_of(1)), f"requests go elsewhere: {heard}"
    assert lane.asked() == [1], "somebody was asked in vain"


@pytest.mark.item("PL-070")
@pytest.mark.needs("connection-test")
def test_connection_test_heals_nobody(lane: Lane) -> None:
    """A connection test that succeeds is no trial: who is left alone comes back by its own probes, not before."""
    lane.primary.always(Status(500), for_="chat")
    for _request in range(3):
        lane.ask(stream=False)
    before = lane.asked().count(1)
    for _repetition in range(3):
        answer = lane.gateway.admin.post(f"/api/v1/providers/{lane.primary.name}/test-connection")
        assert answer.field("status") == "success", "the connection was to succeed"
    lane.ask(stream=False)
    assert lane.asked().count(1) == before, "a connection test has let requests through again"


def _test_connection(lane: Lane) -> Answer:
    return lane.gateway.admin.post(f"/api/v1/providers/{lane.fallback.name}/test-connection")


def _meaning(answer: Answer) -> tuple[int, str, str]:
    return answer.status, answer.field("status"), answer.field("connection_status")
