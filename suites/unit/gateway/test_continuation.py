from dataclasses import replace
from typing import Any

import pytest

from gateway.faces.messages import MessagesFace
from gateway.kernel.quirks import Prefill
from gateway.policy.continuation import Continuation, continued, may_replay
from gateway.policy.splice import Delivered, DivergedError
from gateway.schema.chat import ChatRequest, Native, check_chat
from suites.unit.gateway.neutral import call, chunk

PLAIN: Prefill = "plain"
USER = {"role": "user", "content": "Hi"}


def asked(**changes: Any) -> ChatRequest:
    return check_chat({"model": "m", "messages": [USER], "stream": True, **changes})


def natively(**changes: Any) -> ChatRequest:
    """Gives a request that came in Anthropic's form."""
    return asked()._replace(native=Native("anthropic", {"max_tokens": 9, "messages": [USER], **changes}))


def seen(*texts: str) -> Delivered:
    delivered = Delivered()
    for text in texts:
        delivered.note(replace(chunk({"content": text}), delivers=True))
    return delivered


def go_on(request: ChatRequest, delivered: Delivered, style: Prefill = PLAIN) -> Continuation:
    continuation = continued(request, delivered, style)
    assert continuation is not None
    return continuation


def rest_of(continuation: Continuation, *texts: str) -> str:
    deltas = [{"role": "assistant", "content": ""}, *({"content": text} for text in texts)]
    chunks = [new for delta in deltas for new in continuation.joint.feed(chunk(delta))]
    assert all("role" not in new.body["choices"][0]["delta"] for new in chunks)
    return "".join(new.body["choices"][0]["delta"]["content"] for new in chunks)


def test_text_so_far_becomes_the_last_message() -> None:
    """The next provider finds the answer begun, and what it says goes on with it."""
    continuation = go_on(asked(temperature=0), seen("One", " two"))

    assert continuation.request.body["messages"] == [USER, {"role": "assistant", "content": "One two"}]
    assert continuation.request.body["temperature"] == 0
    assert rest_of(continuation, " three", " four") == " three four"


def test_request_of_the_caller_is_left_alone() -> None:
    """The request may be needed again for the target after next."""
    request = asked(max_tokens=9)

    go_on(request, seen("One"))

    assert (request.body["messages"], request.body["max_tokens"]) == ([USER], 9)


def test_vllm_is_told_that_the_last_message_goes_on() -> None:
    """Without its own switches vLLM would begin another answer."""
    body = go_on(asked(), seen("One"), "vllm").request.body

    assert (body["continue_final_message"], body["add_generation_prompt"]) == (True, False)
    assert "continue_final_message" not in go_on(asked(), seen("One")).request.body


@pytest.mark.parametrize("pieces", [(" ", "\nthree"), (" \nthree",), (" \nth", "ree"), ("", " \n", "three")])
def test_whitespace_at_the_end_is_expected_back(pieces: tuple[str, ...]) -> None:
    """It is not sent, and what comes back of it was delivered already."""
    continuation = go_on(asked(), seen("One two", " \n"))

    assert continuation.request.body["messages"][-1]["content"] == "One two"
    assert rest_of(continuation, *pieces) == "three"


@pytest.mark.parametrize("pieces", [("three",), (" ", "three"), ("\n three",)])
def test_other_whitespace_is_a_divergence(pieces: tuple[str, ...]) -> None:
    """A provider that does not give it back does not go on where the answer broke off."""
    continuation = go_on(asked(), seen("One two \n"))

    with pytest.raises(DivergedError):
        rest_of(continuation, *pieces)


@pytest.mark.parametrize(
    ("limits", "left"),
    [
        ({"max_tokens": 9}, {"max_tokens": 6}),
        ({"max_completion_tokens": 9}, {"max_completion_tokens": 6}),
        ({"max_tokens": 2}, {"max_tokens": 1}),
        ({}, {}),
    ],
    ids=["tokens", "completion tokens", "used up", "none"],
)
def test_limit_is_lowered_by_what_was_delivered(limits: dict[str, int], left: dict[str, int]) -> None:
    """Three words in three chunks have taken three tokens or more."""
    body = go_on(asked(**limits), seen("One", " two", " three")).request.body

    assert {name: value for name, value in body.items() if "tokens" in name} == left


@pytest.mark.parametrize(
    "changes",
    [
        {"n": 2},
        {"response_format": {"type": "json_object"}},
        {"guided_json": {"type": "object"}},
        {"grammar": "root ::= x"},
        {"echo": True},
        {"tool_choice": "required"},
        {"tool_choice": {"type": "function", "function": {"name": "f"}}},
        {"reasoning_effort": "low"},
        {"think": True},
        {"thinking": {"type": "enabled"}},
        {"chat_template_kwargs": {"enable_thinking": True}},
        {"messages": [USER, {"role": "assistant", "content": "Well"}]},
    ],
    ids=str,
)
def test_request_that_only_a_whole_answer_fits_is_not_continued(changes: dict[str, Any]) -> None:
    """Several choices, forms, forced calls and thoughts cannot be taken up in the middle."""
    assert continued(asked(**changes), seen("One"), PLAIN) is None


@pytest.mark.parametrize(
    "changes",
    [
        {"n": 1},
        {"response_format": {"type": "text"}},
        {"tool_choice": "auto"},
        {"reasoning_effort": "none"},
        {"thinking": {"type": "disabled"}},
        {"chat_template_kwargs": {}},
    ],
    ids=str,
)
def test_what_changes_nothing_does_not_matter(changes: dict[str, Any]) -> None:
    """Fields that say what holds anyway do not stand in the way."""
    go_on(asked(**changes), seen("One"))


@pytest.mark.parametrize("texts", [(), ("",), (" \n",)], ids=["nothing", "empty", "blank"])
def test_answer_without_words_is_not_continued(texts: tuple[str, ...]) -> None:
    """Where nothing but whitespace was said there is nothing to go on with."""
    assert continued(asked(), seen(*texts), PLAIN) is None


@pytest.mark.parametrize("delta", [{"reasoning_content": "Hm"}, call(0, "{", id="c", name="f")])
def test_answer_that_is_more_than_text_is_not_continued(delta: dict[str, Any]) -> None:
    """Thoughts and calls cannot be handed to another provider as they are."""
    delivered = seen("One")
    delivered.note(chunk(delta))

    assert continued(asked(), delivered, PLAIN) is None


def test_provider_that_cannot_is_not_asked() -> None:
    """Only a vendor whose quirks say how is asked to go on."""
    assert continued(asked(), seen("One"), "") is None


def test_native_request_is_continued_in_its_own_form() -> None:
    """A request in Anthropic's form, which is passed on as it is, carries the text so far too."""
    told = {"model": "m", "max_tokens": 9, "system": "Be brief.", "messages": [USER], "stream": True}
    request = MessagesFace().parse(str(told).replace("'", '"').replace("True", "true").encode(), {})

    native = go_on(request, seen("One", " two ")).request.native

    assert native is not None
    assert native.body == told | {
        "max_tokens": 7,
        "messages": [USER, {"role": "assistant", "content": "One two"}],
    }


def test_other_native_forms_are_only_for_their_face() -> None:
    """What no provider is sent need not be changed."""
    native = Native("responses", {"input": "Hi"})

    assert go_on(asked()._replace(native=native), seen("One")).request.native == native


@pytest.mark.parametrize(
    "changes",
    [
        {"thinking": {"type": "adaptive"}},
        {"tool_choice": {"type": "any"}},
        {"output_config": {"format": {"type": "json_schema"}}},
        {"output_format": {"type": "json_schema"}},
        {"tools": [{"type": "web_search_20250305", "name": "web_search"}]},
        {"mcp_servers": [{"name": "x"}]},
        {"messages": [USER, {"role": "assistant", "content": "Well"}]},
    ],
    ids=str,
)
def test_native_request_that_only_a_whole_answer_fits_is_not_continued(changes: dict[str, Any]) -> None:
    """What Anthropic's own form can ask for besides is heeded too."""
    assert continued(natively(**changes), seen("One"), PLAIN) is None
    go_on(natively(tools=[{"name": "f", "input_schema": {}}], tool_choice={"type": "auto"}), seen("One"))


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, False),
        ({"temperature": 0.5}, False),
        ({"temperature": 0}, True),
        ({"temperature": 0.0}, True),
        ({"seed": 0}, True),
        ({"seed": None, "temperature": None}, False),
    ],
    ids=str,
)
def test_request_for_the_same_answer_each_time_may_be_replayed(
    changes: dict[str, Any],
    expected: bool,  # noqa: FBT001  it is the expectation
) -> None:
    """A temperature of 0 asks for it, and so does a seed."""
    assert may_replay(asked(**changes)) is expected
