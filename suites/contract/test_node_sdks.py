"""The official clients for Node as judges of every face, over every provider: other code that reads the same wire."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from fixtures.capabilities import NotRunError
from fixtures.dialogue import Dialogue
from fixtures.npm import find_node, install
from fixtures.simulators.server import SimulatedProvider
from fixtures.simulators.steps import Cut, ErrorEvent, Say, Status, Step
from fixtures.simulators.text import Reply
from fixtures.stage import Connection
from suites.contract.cases import THOUGHT, TWO_CALLS, over_providers
from suites.contract.conversation import model_of, received, simulator_of
from suites.contract.node.clients import (
    CHAT,
    MESSAGES,
    QUESTION,
    RESPONSES,
    Face,
    How,
    Reading,
    client_of_gateway,
    client_of_provider,
)
from suites.contract.telling import lasting
from suites.contract.test_openai_sdk import FLEETING, LIKE_OPENAI

pytestmark = [
    pytest.mark.item("UB-007", "PL-121"),
    pytest.mark.needs("streaming", "configuration", "upstreams", "node"),
]

HERE = Path(__file__).parent

CLIENT_SETTINGS = ("OPENAI_", "ANTHROPIC_", "AZURE_", "NODE_")
"""What the clients would take from the environment of whoever runs the tests."""

CITIES = (("get_weather", {"city": "Rome"}), ("get_weather", {"city": "Oslo"}))


@dataclass(frozen=True, slots=True)
class Raised:
    """An error as a client shows it; of our reason OpenAI's shows the `code`, and Anthropic's the `type` alone."""

    name: str
    status: int
    code: str
    type: str


REFUSALS: dict[str, tuple[Step, Raised]] = {
    "bad request": (
        Status(400),
        Raised("BadRequestError", 400, "INVALID_REQUEST", "invalid_request_error"),
    ),
    "rate limit": (Status(429), Raised("RateLimitError", 429, "RATE_LIMITED", "rate_limit_error")),
    "error": (Status(500), Raised("InternalServerError", 502, "PROVIDER_DEGRADED", "api_error")),
    # The key is the gateway's and so is the mistake: the caller must not be told that theirs is wrong.
    "refused key": (Status(401), Raised("InternalServerError", 502, "AUTH_ERROR", "api_error")),
    "cut": (Cut(), Raised("InternalServerError", 502, "connection_failed", "api_error")),
}


@pytest.fixture(scope="session")
def judge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dialogue]:
    """One process of Node with the clients; skips where they cannot be had."""
    try:
        node, clients = find_node(), install(HERE / "node", _cache(tmp_path_factory))
    except NotRunError as error:
        pytest.skip(f"{error.outcome}: {error}")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(CLIENT_SETTINGS)}
    command = [node, str(HERE / "node" / "judge.mjs")]
    log_path = tmp_path_factory.mktemp("judge") / "log"
    with Dialogue(command, environment, folder=clients, log_path=log_path) as dialogue:
        yield dialogue


def _cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return where the clients are kept: in the checkout, or with what pytest keeps for all of its workers."""
    checkout = HERE.parents[1]
    if (checkout / "noxfile.py").is_file():
        return checkout / "build" / "node"
    return tmp_path_factory.getbasetemp().parent / "node"


@dataclass(frozen=True, slots=True)
class Table:
    """The judge, the gateway before it, and the provider behind that."""

    judge: Dialogue
    gateway: Connection
    simulator: SimulatedProvider

    def read(self, face: Face, how: How, **more: Any) -> Reading:
        """Return what the client reads through the gateway."""
        target = self.gateway.target
        client = client_of_gateway(self.judge, face, target.url, target.keys.user or "none")
        return client.read(face, how, model_of(self.gateway, self.simulator.name), **more)

    def read_directly(self, face: Face, how: How, **more: Any) -> Reading:
        """Return what the client reads from the provider itself."""
        return client_of_provider(self.judge, self.simulator).read(
            face, how, self.simulator.models[0], **more
        )


@pytest.fixture
def table(request: pytest.FixtureRequest, gateway: Connection, provider: str) -> Table:
    simulator = simulator_of(gateway, provider)
    judge: Dialogue = request.getfixturevalue("judge")  # not before it is clear that the target can be judged
    return Table(judge, gateway, simulator)


def tried(face: Face, *values: object, name: str) -> Any:
    """Return parameters of a test, placed at the rule of the face's client."""
    marks = [pytest.mark.needs(face.need), pytest.mark.rule(f"node {face.client} client")]
    return pytest.param(face, *values, id=name, marks=marks)


def over_faces(*hows: How, faces: tuple[Face, ...] = (CHAT, RESPONSES, MESSAGES)) -> pytest.MarkDecorator:
    """Let a test run for every face, asked in each of these ways."""
    asked = [tried(face, how, name=f"{face.need}-{how}") for face in faces for how in hows]
    return pytest.mark.parametrize(("face", "how"), asked)


@over_providers()
@over_faces("whole", "helper")
def test_client_reads_every_provider(table: Table, face: Face, how: How) -> None:
    """Whatever a provider speaks, the client reads its text, how it ended and its usage."""
    messages = [{"role": "user", "content": QUESTION}]
    wanted = table.simulator.answer_to({"model": table.simulator.models[0], "messages": messages})
    told = face.told(table.read(face, how).answer())
    assert (told.text, told.ending) == (wanted, face.done)
    (*_before, call) = table.simulator.calls()
    assert told.usage == (call.prompt_tokens, call.completion_tokens), "the usage is not the provider's"


@over_providers("tools")
@over_faces("whole", "helper")
def test_client_reads_parallel_tools(table: Table, face: Face, how: How) -> None:
    """Whatever a provider speaks, the client reads its parallel calls of tools, with an id for each."""
    table.simulator.script(Say(TWO_CALLS))
    told = face.told(table.read(face, how, **face.tools).answer())
    assert told.tools == CITIES
    assert len(told.tool_ids) == 2, "two calls have one id"


@over_providers("reasoning")
@over_faces("whole", "helper", faces=(MESSAGES,))
def test_client_reads_thoughts(table: Table, face: Face, how: How) -> None:
    """Whatever a provider speaks, the client reads its thoughts before its text."""
    table.simulator.script(Say(THOUGHT))
    content = table.read(face, how, thinking={"type": "adaptive"}).answer()["content"]
    wanted = [("thinking", THOUGHT.thinking), ("text", THOUGHT.text)]
    told = [(block["type"], block.get(block["type"])) for block in content]
    assert told == wanted, "thoughts and text are not the model's"


@over_providers()
@over_faces("whole")
@pytest.mark.parametrize(("step", "wanted"), REFUSALS.values(), ids=REFUSALS)
def test_client_raises_what_it_means(table: Table, face: Face, how: How, step: Step, wanted: Raised) -> None:
    """The client raises the error that fits what happened; it is kept from trying again, so one call arrives."""
    table.simulator.script(step)
    mark = table.simulator.world.journal.mark()
    error = table.read(face, how).error
    received(table.simulator, mark)
    assert error is not None, "the client raised nothing"
    assert (error["name"], error["status"]) == (wanted.name, wanted.status)
    told, meant = ("type", wanted.type) if face.client == "anthropic" else ("code", wanted.code)
    assert error[told] == meant, f"the client is told another {told}"
    assert error["should_retry"] == "false"
    assert error["request_id"], "the error carries no request id"


@over_providers()
@over_faces("events", "helper")
@pytest.mark.parametrize(
    "step", [ErrorEvent(3), Cut(3, "rst"), Cut(3, "end")], ids=["error event", "reset", "early end"]
)
def test_client_notices_a_broken_stream(table: Table, face: Face, how: How, step: Step) -> None:
    """A stream that cannot be finished makes the client raise after what was delivered."""
    table.simulator.script(step)
    reading = table.read(face, how)
    if (face, how) == (RESPONSES, "events"):
        # Of a response the client hands the events on as they are, the failure among them.
        assert [event["type"] for event in reading.answer()][-2:] == ["error", "response.failed"]
    else:
        assert reading.error is not None, f"the client takes it for whole: {reading.value}"
        assert reading.delivered or how == "helper", "nothing was delivered before the error"


@pytest.mark.parametrize(
    ("face", "provider"),
    [
        *(tried(CHAT, name, name=name) for name in LIKE_OPENAI),
        tried(MESSAGES, "anthropic", name="anthropic"),
    ],
)
@pytest.mark.parametrize("reply", [None, TWO_CALLS], ids=["text", "tools"])
@pytest.mark.parametrize("how", ["whole", "events", "helper"])
def test_client_reads_the_same(table: Table, face: Face, how: How, reply: Reply | None) -> None:
    """Of a provider that speaks the client's format it reads through the gateway just what it reads directly."""
    more = {}
    if reply is not None:
        table.simulator.script(Say(reply), Say(reply))
        more = face.tools
    directly = lasting(table.read_directly(face, how, **more).answer(), FLEETING)
    through_gateway = lasting(table.read(face, how, **more).answer(), FLEETING)
    assert through_gateway == directly, "the client reads something else through the gateway"
