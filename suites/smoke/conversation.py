"""What several tests of the suite do: choose a model, ask it, and know what its provider will say."""

import pytest

from fixtures.shapes import completion_findings, stream_findings
from fixtures.stage import Connection

PROMPT = "Count from one to ten."


def first_model(gateway: Connection) -> str:
    """Return the model that a test asks where any will do; skips where the target lists none."""
    if not gateway.target.models:
        pytest.skip("NOT RUN: the target lists no model; name one with --target-model")
    return next(iter(gateway.target.models))


def ask(gateway: Connection, model: str, *, stream: bool) -> tuple[str, list[str]]:
    """Ask `model`, whole or streamed, and return the text and what is wrong with the answer."""
    if stream:
        streamed = gateway.user.stream(model, PROMPT)
        return streamed.text, stream_findings(streamed)
    answer = gateway.user.chat(model, PROMPT)
    findings = completion_findings(answer)
    return "" if findings else answer.body["choices"][0]["message"]["content"], findings


def expected_text(gateway: Connection, model: str) -> str:
    """Return the text that the provider of `model` gives to `ask`."""
    messages = [{"role": "user", "content": PROMPT}]
    return gateway.target.provider_of(model).answer_to({"model": model, "messages": messages})
