import asyncio
import io
import json
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import pytest
import uvloop
from starlette.testclient import TestClient

from gateway.app import create_app, scrubber_for
from gateway.config.document import Document
from gateway.config.loading import build_registry
from gateway.config.registry import Registry, Timeouts
from gateway.config.settings import Settings
from gateway.config.vendors import load_vendors
from gateway.engine.drain import Drain
from gateway.kernel.clock import SystemClock
from gateway.kernel.logs import build_log
from gateway.web.server import DrainingServer, bind
from suites.unit.gateway.fake_provider import FakeProvider
from suites.unit.gateway.raw_provider import Play

ENVIRON = {"OPENAI_API_KEY": "sk-example-not-a-key"}
ADMIN = {"x-admin-api-key": "admin-example-key"}


FORGETFUL = {"breaker": {"enabled": False}, "health_checks": {"enabled": False}}
"""Each request is judged by itself, and nobody but the test calls a provider."""


def registry_of(
    providers: dict[str, Any],
    models: dict[str, Any],
    chains: dict[str, Any] | None = None,
    resilience: dict[str, Any] | None = None,
) -> Registry:
    """Builds a registry as a configuration file would give it; forgetful unless told otherwise."""
    stated = {"providers": providers, "models": models, "chains": chains or {}}
    document = Document.model_validate({**stated, "resilience": FORGETFUL | (resilience or {})})
    return build_registry(document, ENVIRON, load_vendors())


def patient(registry: Registry) -> Registry:
    """Gives the same registry with the default timeouts."""
    providers = {
        name: p.model_copy(update={"timeouts": Timeouts()}) for name, p in registry.providers.items()
    }
    return registry.model_copy(update={"providers": providers})


class Stage:
    """A gateway with its providers, spoken to over HTTP in the same process."""

    def __init__(self, client: TestClient, log: io.StringIO) -> None:
        self.client = client
        self._log = log

    def chat(self, model: str = "first", **changes: Any) -> Any:
        body = {"model": model, "messages": [{"role": "user", "content": "Hi"}], **changes}
        return self.client.post("/v1/chat/completions", json=body)

    def stream(self, model: str = "first", **changes: Any) -> list[Any]:
        """Returns the events of a streamed answer: parsed chunks and the text "[DONE]"."""
        response = self.chat(model, stream=True, **changes)
        assert response.headers["content-type"] == "text/event-stream; charset=utf-8", response.text
        data = [part.removeprefix("data: ") for part in response.text.split("\n\n") if part]
        return [part if part == "[DONE]" else json.loads(part) for part in data]

    @property
    def log_lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self._log.getvalue().splitlines()]


@pytest.fixture
def new_provider() -> Iterator[Callable[[], FakeProvider]]:
    with ExitStack() as stack:

        def start() -> FakeProvider:
            provider = FakeProvider()
            stack.callback(provider.close)
            return provider

        yield start


@pytest.fixture
def provider(new_provider: Callable[[], FakeProvider]) -> FakeProvider:
    return new_provider()


@pytest.fixture
def fallback(new_provider: Callable[[], FakeProvider]) -> FakeProvider:
    return new_provider()


@pytest.fixture
def stage_of() -> Iterator[Callable[..., Stage]]:
    """Gives a function that puts a gateway with a registry on stage."""
    with ExitStack() as stack:

        def start(registry: Registry, **settings: Any) -> Stage:
            chosen = Settings(admin_keys=("admin-example-key",), log_level="debug", **settings)
            log = io.StringIO()
            logger = build_log("debug", log, SystemClock(), scrubber_for(chosen, registry))
            app = create_app(chosen, registry, log=logger)
            return Stage(stack.enter_context(TestClient(app, raise_server_exceptions=False)), log)

        yield start


@pytest.fixture
def pair(provider: FakeProvider, fallback: FakeProvider) -> Registry:
    """The model "first" at one provider, with "second" at another as its fallback."""
    quick = {"first_byte_s": 0.3, "whole_s": 0.3, "idle_s": 0.3, "total_s": 2}
    return registry_of(
        {
            "openai": {"base_url": provider.url, "timeouts": quick},
            "spare": {"vendor": "openai", "base_url": fallback.url, "timeouts": quick},
        },
        {"first": {"provider": "openai"}, "second": {"provider": "spare"}},
        {"first": ["second"]},
    )


@pytest.fixture
def stage(pair: Registry, stage_of: Callable[..., Stage]) -> Stage:
    return stage_of(pair)


@dataclass(frozen=True)
class Served:
    """A gateway that runs in a thread, and answers at `url`."""

    url: str
    server: DrainingServer
    thread: threading.Thread

    def interrupt(self) -> None:
        """Does what SIGTERM does; signals themselves reach only the main thread."""
        self.server.handle_exit(signal.SIGTERM, None)


Serve = Callable[..., Served]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Gives a function that serves a registry by uvicorn on a free port; for what needs a real connection."""
    with ExitStack() as stack:

        def start(registry: Registry, drain_timeout_s: float = 0.0) -> Served:
            drain, listening = Drain(), threading.Event()
            app = create_app(Settings(log_level="error"), registry, drain=drain)
            listener = bind("127.0.0.1", 0)
            server = DrainingServer(app, drain, drain_timeout_s, listening.set)
            thread = threading.Thread(target=server.run, args=([listener],))
            served = Served(f"http://127.0.0.1:{listener.getsockname()[1]}", server, thread)
            thread.start()
            stack.callback(thread.join, 10)
            stack.callback(served.interrupt)
            assert listening.wait(5)
            return served

        yield start


LOOPS = {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}


@pytest.fixture(params=list(LOOPS.values()), ids=list(LOOPS))
def play(request: pytest.FixtureRequest) -> Iterator[Play]:
    """Gives a function that lets a story happen on an event loop, of each kind in turn."""
    with asyncio.Runner(loop_factory=request.param) as runner:
        yield runner.run
