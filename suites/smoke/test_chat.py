"""Inference: a caller with a key asks, a provider answers, nothing is lost on the way."""

import pytest

from fixtures.shapes import completion_findings, stream_findings
from fixtures.stage import Connection
from suites.smoke.conversation import ask, expected_text, first_model

PROMPT = "Name three rivers of Europe."


@pytest.mark.item("LD-042", "RQ-046")
@pytest.mark.needs("chat")
def test_chat_is_answered(gateway: Connection) -> None:
    """A caller with a user key gets a finished completion with text and usage."""
    answer = gateway.user.chat(first_model(gateway), PROMPT, max_tokens=64)
    findings = completion_findings(answer)
    assert not findings, "; ".join(findings)


@pytest.mark.item("RQ-046")
@pytest.mark.needs("streaming")
def test_stream_is_answered(gateway: Connection) -> None:
    """A streamed answer arrives as chunks with text, and ends with a finish reason and its terminal event."""
    answer = gateway.user.stream(first_model(gateway), PROMPT, max_tokens=64)
    findings = stream_findings(answer)
    assert not findings, "; ".join(findings)
    assert answer.text, "the stream carries no text"


@pytest.mark.item("LD-042")
@pytest.mark.needs("chat", "upstreams")
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
def test_answer_is_the_providers_own(gateway: Connection, *, stream: bool) -> None:
    """The text that the caller gets is the text that the provider sent, to the last character."""
    model = first_model(gateway)
    text, findings = ask(gateway, model, stream=stream)
    assert not findings, "; ".join(findings)
    assert text == expected_text(gateway, model), "the text is not the provider's"


@pytest.mark.item("LD-042")
@pytest.mark.needs("chat", "upstreams")
def test_usage_is_the_providers_own(gateway: Connection) -> None:
    """The tokens in the answer are those that the provider reported."""
    model = first_model(gateway)
    journal = gateway.target.provider_of(model).world.journal
    mark = journal.mark()
    answer = gateway.user.chat(model, PROMPT)
    assert completion_findings(answer) == []
    calls = journal.since(mark)
    assert len(calls) == 1, "no provider was asked, or several"
    (call,) = calls
    usage = answer.body["usage"]
    assert (usage["prompt_tokens"], usage["completion_tokens"]) == (
        call.prompt_tokens,
        call.completion_tokens,
    )


@pytest.mark.item("RQ-020")
@pytest.mark.needs("chat", "user-keys")
@pytest.mark.parametrize("key", [None, "a-wrong-key"], ids=["no key", "wrong key"])
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
def test_inference_is_refused_without_a_key(gateway: Connection, key: str | None, *, stream: bool) -> None:
    """Inference is refused with 401 to a caller without a valid key, and no provider is asked."""
    journals = [simulator.world.journal for simulator in gateway.target.providers.values()]
    marks = [journal.mark() for journal in journals]
    answer = gateway.nobody.with_key(key).chat(first_model(gateway), PROMPT, stream=stream)
    assert answer.status == 401, f"a caller without a valid key is answered {answer.status}, not 401"
    calls = [call for journal, mark in zip(journals, marks, strict=True) for call in journal.since(mark)]
    assert calls == [], "a provider was asked for a caller without a key"
