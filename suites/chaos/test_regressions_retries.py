"""Class C: retries that multiply, and Retry-After in all of its forms. Attempts are counted where they arrive."""

import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from itertools import pairwise

import httpx2
import openai
import pytest

from fixtures.simulators.steps import Chain, Status, Step
from suites.chaos.hearing import End
from suites.chaos.journals import is_anybody_asked
from suites.chaos.lanes import QUESTION, Lane
from suites.chaos.pacing import wait_for_moment
from suites.chaos.spoiling import Waits

pytestmark = [
    pytest.mark.item("PL-105"),
    pytest.mark.needs("chat", "streaming", "fallback", "configuration", "upstreams"),
]

SLACK_S = 0.25
"""How much later than stated the provider may be asked again: no caller waits for nothing."""

ONE_RETRY = {"retries": {"attempts": 1, "backoff_s": 0.1}}
ALONE = pytest.mark.lane(kinds=("openai",), chain=ONE_RETRY)
RETRYING = pytest.mark.lane(chain=ONE_RETRY)


@dataclass(frozen=True, slots=True)
class Form:
    """One way of telling how long to wait; it means `shortest_s` to `longest_s`, and is made when it is needed."""

    step: Callable[[], Step]
    shortest_s: float
    longest_s: float


def _told(headers: Mapping[str, str]) -> Callable[[], Step]:
    return lambda: Chain(Status(429), Waits(headers))


def _date_in(seconds: float) -> Callable[[], Step]:
    """Return a refusal whose date is so many seconds away when it is made; dates of HTTP have whole seconds."""

    def make() -> Step:
        moment = datetime.now(UTC) + timedelta(seconds=seconds)
        return Chain(Status(429), Waits({"retry-after": format_datetime(moment, usegmt=True)}))

    return make


STATED: Mapping[str, Form] = {
    "seconds": Form(_told({"retry-after": "1"}), 1, 1),
    "fraction": Form(_told({"retry-after": "0.4"}), 0.4, 0.4),
    "zero": Form(_told({"retry-after": "0"}), 0, 0),
    "milliseconds": Form(_told({"retry-after-ms": "400"}), 0.4, 0.4),
    "both": Form(_told({"retry-after": "1", "retry-after-ms": "400"}), 0.4, 1),
    "date": Form(_date_in(2), 1, 2),
    "date past": Form(_date_in(-3600), 0, 0),
    "reset of the limit": Form(
        _told({"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "400ms"}), 0.4, 0.4
    ),
}

NO_WAIT: Mapping[str, Mapping[str, str]] = {
    "none": {},
    "negative": {"retry-after": "-5"},
    "garbage": {"retry-after": "soon"},
    "empty": {"retry-after": ""},
    "date that is none": {"retry-after": "Wed, 99 Foo 2026 99:99:99 GMT"},
}

ABSURD: Mapping[str, Mapping[str, str]] = {
    "a day": {"retry-after": "86400"},
    "ten years": {"retry-after": "315360000"},
    "a day in milliseconds": {"retry-after-ms": "86400000"},
}


@pytest.mark.regression("R044", "R047", "R048")
@ALONE
@pytest.mark.parametrize("form", STATED.values(), ids=STATED)
def test_stated_wait_is_kept(lane: Lane, form: Form) -> None:
    """A provider that says how long to wait is asked again then: not before, and not much later."""
    lane.primary.script(form.step())
    heard = lane.ask(stream=False)
    assert heard.is_answer(lane.text_of(1)), f"not answered: {heard}"
    (gap_s,) = _gaps_s(lane)
    _is_between(gap_s, form.shortest_s, form.longest_s)


@pytest.mark.regression("R047")
@pytest.mark.lane(kinds=("gemini",), chain=ONE_RETRY)
def test_wait_in_a_body_is_kept(lane: Lane) -> None:
    """Gemini says in the body of its refusal how long to wait, and is asked again then."""
    lane.primary.script(Status(429, retry_after_s=0.5))
    heard = lane.ask(stream=False)
    assert heard.is_answer(lane.text_of(1)), f"not answered: {heard}"
    (gap_s,) = _gaps_s(lane)
    _is_between(gap_s, 0.5, 0.5)


@pytest.mark.regression("R047")
@ALONE
@pytest.mark.parametrize("headers", NO_WAIT.values(), ids=NO_WAIT)
def test_wait_that_is_none_is_the_usual_backoff(lane: Lane, headers: Mapping[str, str]) -> None:
    """A wait that is missing or cannot be read is the usual pause: no crash, no endless wait, no attempt at once."""
    lane.primary.script(_told(headers)())
    heard = lane.ask(stream=False)
    assert heard.is_answer(lane.text_of(1)), f"not answered: {heard}"
    (gap_s,) = _gaps_s(lane)
    _is_between(gap_s, 0.05, 0.1)


@pytest.mark.regression("R047")
@ALONE
@pytest.mark.parametrize("headers", ABSURD.values(), ids=ABSURD)
def test_absurd_wait_is_the_callers_answer(lane: Lane, headers: Mapping[str, str]) -> None:
    """A wait that no caller would sit out is not sat out: the caller is told at once of the refusal."""
    lane.primary.always(_told(headers)(), for_="chat")
    heard = lane.ask(stream=False)
    assert (heard.end, heard.status) == (End.ERROR, 429), f"no rate limit is told: {heard}"
    assert heard.took_s < 1, f"the caller was kept for {heard.took_s:.1f} s"
    assert lane.asked() == [1], "it was asked again before its time"
    assert float(heard.headers.get("retry-after", 86_400)) >= 86_400, "the caller is told another wait"


@pytest.mark.regression("R044", "R047")
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize(
    "headers",
    [*({"retry-after": "2"}, {"retry-after-ms": "2000"}), *NO_WAIT.values(), *ABSURD.values()],
    ids=["seconds", "milliseconds", *NO_WAIT, *ABSURD],
)
def test_no_form_delays_the_next_provider(lane: Lane, headers: Mapping[str, str], *, stream: bool) -> None:
    """With another provider at hand nobody waits, whatever the first one says of waiting."""
    lane.primary.always(_told(headers)(), for_="chat")
    heard = lane.ask(stream=stream)
    assert heard.is_answer(lane.text_of(2)), f"the next provider has not answered: {heard}"
    assert heard.took_s < 0.5, f"the caller was kept for {heard.took_s:.2f} s"
    assert lane.asked() == [1, 2], "the one that has just refused was asked again"


@pytest.mark.regression("R044")
def test_provider_that_asked_for_rest_has_it(lane: Lane) -> None:
    """While a provider rests, requests pass it by; once its time is over it is asked again."""
    lane.primary.script(_told({"retry-after": "1"})())
    answers = [lane.ask(stream=False) for _request in range(4)]
    assert all(heard.is_answer(lane.text_of(2)) for heard in answers), "not answered by the next"
    assert lane.asked() == [1, 2, 2, 2, 2], "it had no rest"
    wait_for_moment(answers[0].ended_s + 1.1)
    assert lane.ask(stream=False).is_answer(lane.text_of(1)), "it is passed by although its rest is over"


@pytest.mark.regression("R040", "R041", "R042")
@pytest.mark.lane(chain={"retries": {"attempts": 2, "backoff_s": 0.05}})
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
def test_attempts_are_those_configured(lane: Lane, *, stream: bool) -> None:
    """Each provider of a chain is asked once, and again as often as retries are configured; not once more."""
    for provider in lane.track.providers:
        provider.always(Status(500), for_="chat")
    heard = lane.ask(stream=stream)
    assert heard.end is End.ERROR, f"no error is told: {heard}"
    assert lane.asked() == [1, 1, 1, 2, 2, 2], "other attempts were made than are configured"


@pytest.mark.regression("R040")
@pytest.mark.parametrize("status", [429, 500, 503])
def test_retries_of_a_client_add_nothing(lane: Lane, status: int, tls: ssl.SSLContext) -> None:
    """OpenAI's own client, which would retry twice, is told that the chain is exhausted, and leaves it at that."""
    for provider in lane.track.providers:
        provider.always(Chain(Status(status), Waits()), for_="chat")
    with (
        httpx2.Client(verify=tls, trust_env=False) as http,
        openai.OpenAI(
            base_url=f"{lane.gateway.target.url}/v1",
            api_key=lane.gateway.target.keys.user,
            max_retries=2,
            http_client=http,
        ) as client,
        pytest.raises(openai.APIStatusError) as raised,
    ):
        client.chat.completions.create(model=lane.model, messages=[{"role": "user", "content": QUESTION}])
    assert raised.value.response.headers.get("x-should-retry") == "false", "clients are not told to leave it"
    assert lane.asked() == [1, 2], "the client's retries came on top"


@pytest.mark.regression("R043")
def test_exhausted_chain_stays_exhausted(lane: Lane) -> None:
    """After its last provider has failed a request is over: nothing goes on behind the caller's back."""
    for provider in lane.track.providers:
        provider.always(Status(500), for_="chat")
    assert lane.ask(stream=False).end is End.ERROR, "no error is told"
    is_anybody_asked(lane, within_s=1)
    assert lane.asked() == [1, 2], "providers were asked for a request that is over"


@pytest.mark.regression("R045")
@pytest.mark.lane(kinds=("openai",))
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize(
    ("headers", "told"),
    [
        ({"retry-after": "7"}, "7"),
        ({"retry-after-ms": "7000"}, "7"),
        ({"retry-after": "86400"}, "86400"),
    ],
    ids=["seconds", "milliseconds", "a day"],
)
def test_caller_is_told_how_long_to_wait(
    lane: Lane, headers: Mapping[str, str], told: str, *, stream: bool
) -> None:
    """Where nobody else can answer, the provider's refusal reaches the caller, and with it how long to wait."""
    lane.primary.always(_told(headers)(), for_="chat")
    heard = lane.ask(stream=stream)
    assert (heard.end, heard.status, heard.code) == (End.ERROR, 429, "RATE_LIMITED"), f"told is {heard}"
    assert heard.headers.get("retry-after") == told, "the caller is told another wait, or none"


@pytest.mark.regression("R045")
def test_caller_is_told_the_shorter_wait(lane: Lane) -> None:
    """Where every provider refuses for a while, the caller is told to come back when the first of them may answer."""
    lane.primary.always(_told({"retry-after": "30"})(), for_="chat")
    lane.fallback.always(_told({"retry-after": "7"})(), for_="chat")
    heard = lane.ask(stream=False)
    assert heard.end is End.ERROR, f"no error is told: {heard}"
    assert heard.headers.get("retry-after") == "7", "the caller is told another wait, or none"


@RETRYING
@pytest.mark.regression("R016", "R022")
@pytest.mark.parametrize(
    "step",
    [Status(401), Status(429, error_code="insufficient_quota"), Status(402)],
    ids=["refused key", "spent quota", "spent account"],
)
def test_what_cannot_recover_is_not_retried(lane: Lane, step: Status) -> None:
    """A refused key and a spent account stay so: even with retries configured, the next provider is asked at once."""
    lane.primary.always(step, for_="chat")
    heard = lane.ask(stream=False)
    assert heard.is_answer(lane.text_of(2)), f"the next provider has not answered: {heard}"
    assert lane.asked() == [1, 2], "it was asked again in vain"


def _gaps_s(lane: Lane) -> list[float]:
    """Return the seconds between the end of each call and the beginning of the next."""
    pairs = pairwise(lane.calls())
    return [later.started_s - (earlier.ended_s or earlier.started_s) for earlier, later in pairs]


def _is_between(gap_s: float, shortest_s: float, longest_s: float) -> None:
    assert gap_s > shortest_s - 0.01, f"asked again after {gap_s:.3f} s, and {shortest_s:g} s were wanted"
    assert gap_s <= longest_s + SLACK_S, f"asked again after {gap_s:.3f} s, and {longest_s:g} s were wanted"
