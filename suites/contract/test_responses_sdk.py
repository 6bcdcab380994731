"""OpenAI's own client as the judge of the responses face, over every provider."""

import ssl
from collections.abc import Iterator
from typing import Any

import openai
import pytest

from fixtures.simulators.steps import Cut, ErrorEvent, Say, Status, Step
from fixtures.simulators.text import Reply, words_of
from fixtures.stage import Connection
from suites.contract.cases import TWO_CALLS, over_providers
from suites.contract.conversation import model_of, simulator_of
from suites.contract.test_openai_sdk import gateway_client

pytestmark = [
    pytest.mark.item("UB-007", "PL-121"),
    pytest.mark.needs("responses", "streaming", "configuration", "upstreams"),
    pytest.mark.rule("responses"),
]

QUESTION = "Name a river of Europe."
TOOLS: Any = [
    {
        "type": "function",
        "name": "get_weather",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
        "strict": False,
    }
]
CUT_OFF = Reply(tokens=words_of("The Loire is"), ending="length")


@pytest.fixture
def client(gateway: Connection, tls: ssl.SSLContext) -> Iterator[openai.OpenAI]:
    with gateway_client(gateway, tls) as client:
        yield client


def respond(client: openai.OpenAI, *, stream: bool, **asked: Any) -> Any:
    """Return the response, of a stream that of its last event."""
    if not stream:
        return client.responses.create(**asked)
    events = list(client.responses.create(stream=True, **asked))
    assert events, "the stream holds no events"
    assert hasattr(events[-1], "response"), f"the stream ends with {events[-1].type}"
    return events[-1].response


@over_providers()
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
def test_client_reads_every_provider(
    gateway: Connection, client: openai.OpenAI, provider: str, *, stream: bool
) -> None:
    """Whatever a provider speaks, the client reads its text, its status and its usage."""
    simulator = simulator_of(gateway, provider)
    messages = [{"role": "user", "content": QUESTION}]
    wanted = simulator.answer_to({"model": simulator.models[0], "messages": messages})
    response = respond(client, stream=stream, model=model_of(gateway, provider), input=QUESTION)
    assert (response.status, response.output_text) == ("completed", wanted)
    (*_before, call) = simulator.calls()
    told = response.usage and (response.usage.input_tokens, response.usage.output_tokens)
    assert told == (call.prompt_tokens, call.completion_tokens), "the usage is not the provider's"


@over_providers("tools")
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
def test_client_reads_parallel_tools(
    gateway: Connection, client: openai.OpenAI, provider: str, *, stream: bool
) -> None:
    """Whatever a provider speaks, the client reads its parallel calls of tools, with an id for each."""
    simulator_of(gateway, provider).script(Say(TWO_CALLS))
    asked = {"model": model_of(gateway, provider), "input": QUESTION, "tools": TOOLS}
    calls = [item for item in respond(client, stream=stream, **asked).output if item.type == "function_call"]
    read = [(call.name, call.arguments.replace(" ", "")) for call in calls]
    assert read == [("get_weather", '{"city":"Rome"}'), ("get_weather", '{"city":"Oslo"}')]
    assert len({call.call_id for call in calls}) == 2, "two calls have one id"


@over_providers()
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
def test_cut_off_answer_is_incomplete(
    gateway: Connection, client: openai.OpenAI, provider: str, *, stream: bool
) -> None:
    """An answer that the limit has ended is incomplete, and says why."""
    simulator_of(gateway, provider).script(Say(CUT_OFF))
    asked = {"model": model_of(gateway, provider), "input": QUESTION, "max_output_tokens": 64}
    response = respond(client, stream=stream, **asked)
    assert response.status == "incomplete", f"the response is called {response.status}"
    assert response.incomplete_details.reason == "max_output_tokens"
    assert response.output_text == CUT_OFF.text


@over_providers()
def test_events_are_numbered_without_a_gap(gateway: Connection, client: openai.OpenAI, provider: str) -> None:
    """The events of a stream begin with the creation, end with the completion, and are numbered without a gap."""
    events = list(client.responses.create(model=model_of(gateway, provider), input=QUESTION, stream=True))
    assert (events[0].type, events[-1].type) == ("response.created", "response.completed")
    assert [event.sequence_number for event in events] == list(range(len(events)))


@over_providers()
@pytest.mark.parametrize(
    ("step", "error"),
    [
        (Status(400), openai.BadRequestError),
        (Status(429), openai.RateLimitError),
        (Status(500), openai.InternalServerError),
    ],
    ids=["bad request", "rate limit", "error"],
)
def test_client_raises_what_it_means(
    gateway: Connection, client: openai.OpenAI, provider: str, step: Step, error: type[Exception]
) -> None:
    """The client raises the error that fits what happened."""
    simulator_of(gateway, provider).script(step)
    with pytest.raises(error):
        client.responses.create(model=model_of(gateway, provider), input=QUESTION)


@over_providers()
@pytest.mark.parametrize("step", [ErrorEvent(3), Cut(3, "rst")], ids=["error event", "reset"])
def test_broken_stream_is_never_completed(
    gateway: Connection, client: openai.OpenAI, provider: str, step: Step
) -> None:
    """A stream that cannot be finished fails: the client raises, or reads that the response has failed."""
    simulator_of(gateway, provider).script(step)
    events: list[Any] = []
    try:
        events.extend(client.responses.create(model=model_of(gateway, provider), input=QUESTION, stream=True))
    except openai.APIError:
        failed = True
    else:
        failed = bool(events) and events[-1].type == "response.failed"
    assert failed, "the stream ends as if it were whole"
    assert "response.completed" not in {event.type for event in events}, "the response is called completed"
