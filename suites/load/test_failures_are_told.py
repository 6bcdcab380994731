"""Operators are told under load whose calls fail, and whose answers take too long."""

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from fixtures.client import Answer
from fixtures.stage import Connection
from reports.thresholds import Threshold
from suites.load.ground import Ground
from suites.load.house import FAULTS, SLOW
from suites.load.trouble import trouble_on

Lookup = Callable[[str, str], Threshold]

SLOW_CALLS = 3

_MS = 1000


@pytest.mark.item("LD-048")
@pytest.mark.needs("chat", "fallback", "fallback-policy", "providers", "configuration", "upstreams", "logs")
@pytest.mark.parametrize("fault", FAULTS)
def test_failing_calls_are_told(ground: Ground, fault: str) -> None:
    """While calls to a provider fail under load the log says whose and why, and the gateway tells whoever asks."""
    trouble = trouble_on(ground)
    trouble.ill.result.require_truthful()
    provider = ground.house.pairs[fault].first_name
    failed = [line for line in _lines(ground.gateway, "attempt failed") if line.get("provider") == provider]
    ground.gateway.notes.measure("failed calls in the log", len(failed), "count")
    assert failed, f"no line of the log tells that calls to {provider} fail"
    assert all(line.get("reason_code") for line in failed), (
        f"the log does not tell why calls to {provider} fail"
    )
    told = trouble.ill.meantime.told.get(provider, frozenset())
    assert told, f"whoever asks the gateway while calls to {provider} fail is told nothing of it"


@pytest.mark.item("LD-049")
@pytest.mark.needs("chat", "configuration", "upstreams", "logs")
def test_slow_answers_are_told(ground: Ground, threshold: Lookup) -> None:
    """Answers that take longer than 5 s stand in the log, with their provider and the time that they took."""
    limit = threshold("LD-049", "response_time")
    with ThreadPoolExecutor(SLOW_CALLS) as pool:
        answers = list(pool.map(lambda _number: _ask(ground.gateway), range(SLOW_CALLS)))
    slow = [answer for answer in answers if answer.status == 200 and limit.holds(answer.duration_s)]
    assert len(slow) == SLOW_CALLS, "the answers were not slow: nothing is proved"
    lines = [line for line in _lines(ground.gateway, "chat") if line.get("provider") == SLOW]
    took_s = [float(line["duration_ms"]) / _MS for line in lines]
    ground.gateway.notes.measure("slowest answer in the log", max(took_s, default=0.0), "s")
    told = sum(limit.holds(time_s) for time_s in took_s)
    assert told == len(slow), (
        f"of {len(slow)} answers that took longer than {limit.value:g} s the log tells {told}"
    )


def _ask(gateway: Connection) -> Answer:
    body = {"model": SLOW, "messages": [{"role": "user", "content": "Take your time."}]}
    return gateway.user.post("/v1/chat/completions", body)


def _lines(gateway: Connection, event: str) -> Iterator[dict[str, Any]]:
    """Yield the lines of the gateway's log that tell of such an event."""
    log = gateway.target.read_log() if gateway.target.read_log else ""
    for line in log.splitlines():
        if f'"{event}"' in line:
            said = json.loads(line)
            if said.get("event") == event:
                yield said
