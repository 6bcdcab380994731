"""A provider that fails now and then: by the request's number, so that every run sees the same."""

from collections.abc import Iterator

import pytest

from fixtures.history.marks import request_mark
from fixtures.simulators.latency import INSTANT
from fixtures.simulators.server import SimulatedProvider, SimulatorServer
from fixtures.simulators.steps import Status
from fixtures.traffic import timed_requests
from suites.load.sometimes import Sometimes


@pytest.fixture
def provider() -> Iterator[SimulatedProvider]:
    with SimulatorServer.start(seed=1) as server:
        made = server.world().add("vllm", models=["m"], latency=INSTANT)
        made.always(Sometimes(3, (Status(500), Status(429))))
        yield made


def statuses(provider: SimulatedProvider, numbers: range) -> list[int | None]:
    bodies = (
        {"model": "m", "messages": [{"role": "user", "content": f"Well? {request_mark(number)}"}]}
        for number in numbers
    )
    url = provider.base_url.removesuffix("/v1")
    return [timed.told.status for timed in timed_requests(url, None, bodies)]


def test_one_call_in_so_many_fails(provider: SimulatedProvider) -> None:
    """Of three calls one fails, by one step after the other; the others are answered."""
    assert statuses(provider, range(1, 10)) == [200, 200, 429, 200, 200, 500, 200, 200, 429]


def test_it_is_the_same_call_every_time(provider: SimulatedProvider) -> None:
    """Which call fails is said by its request's number, however often it is made."""
    assert statuses(provider, range(3, 4)) == statuses(provider, range(3, 4)) == [429]
    assert statuses(provider, range(6, 7)) == [500]


def test_call_without_a_number_is_well(provider: SimulatedProvider) -> None:
    """A call that belongs to no request of the load, as a probe, is answered."""
    body = {"model": "m", "messages": [{"role": "user", "content": "Well?"}]}
    (timed,) = timed_requests(provider.base_url.removesuffix("/v1"), None, [body])
    assert timed.told.status == 200
