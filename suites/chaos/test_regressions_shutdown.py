"""Class K: gateways that are shut down while streams are under way; callers who leave are in `test_leaving`."""

import signal
import time
from concurrent.futures import ThreadPoolExecutor, wait

import pytest

from fixtures.simulators.latency import Latency
from fixtures.stage import Connection, Launch
from fixtures.targets.protocol import Change
from suites.chaos.hearing import CHAT, End, Heard
from suites.chaos.lanes import QUESTION

pytestmark = [
    pytest.mark.item("UB-077"),
    pytest.mark.needs("chat", "streaming", "configuration", "upstreams", "process"),
]

GAP_MS = 60.0
STREAMS = 10
BEGUN_WITHIN_S = 5.0

NOTICED_S = 0.2
"""How long after the signal the gateway may still let requests in."""


@pytest.mark.regression("R126", "R128")
def test_streams_outlive_the_signal(launch: Launch) -> None:
    """On SIGTERM every stream under way is finished, and who comes then is refused; the gateway ends in good order."""
    gateway = launch(Change(simulators={"openai": {"latency": Latency(ttft_ms=50, gap_ms=GAP_MS)}}))
    answers, late, status = _shut_down(gateway)
    broken = [heard for heard in answers if heard.end is not End.ANSWER]
    assert not broken, f"{len(broken)} of {len(answers)} streams were cut: {broken[0]}"
    assert late.status in (None, 503), f"a request after the signal was answered {late.status}"
    assert status in (0, -signal.SIGTERM), f"the gateway ended with status {status}"


@pytest.mark.regression("R128")
def test_streams_that_are_too_long_are_told_so(launch: Launch) -> None:
    """Streams that are longer than the time to drain end with an explicit error, and the gateway ends all the same."""
    slow = {"openai": {"latency": Latency(ttft_ms=50, gap_ms=10_000)}}
    gateway = launch(Change(environment={"GATEWAY_DRAIN_TIMEOUT_S": "0.5"}, simulators=slow))
    began_s = time.monotonic()
    answers, _late, _status = _shut_down(gateway)
    assert time.monotonic() - began_s < 5, "the gateway waited for streams that are too long"
    assert {heard.end for heard in answers} == {End.ERROR}, f"they ended so: {answers[0]}"


def _shut_down(gateway: Connection) -> tuple[list[Heard], Heard, int]:
    """Stop the gateway while streams are under way; return how these ended, a late request, and the status."""
    stop = gateway.target.stop
    if stop is None:
        pytest.skip("NOT RUN: the target cannot be stopped")
    model = next(model for model, provider in gateway.target.models.items() if provider == "openai")
    simulator = gateway.target.providers["openai"]

    def ask() -> Heard:
        return CHAT.ask(gateway.user, model, QUESTION, stream=True)

    with ThreadPoolExecutor(STREAMS + 1) as pool:
        streams = [pool.submit(ask) for _stream in range(STREAMS)]
        has_begun = simulator.world.journal.wait_until(
            lambda: sum(call.events_sent > 0 for call in simulator.calls()) >= STREAMS, BEGUN_WITHIN_S
        )
        assert has_begun, "not all streams have begun"
        stopping = pool.submit(stop)
        wait([stopping], NOTICED_S)
        late = ask()
        answers = [stream.result() for stream in streams]
        return answers, late, stopping.result()
