"""The request that asks another provider to go on where a stream has broken off, and when such requests make sense."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from gateway.kernel.quirks import Prefill
from gateway.policy.splice import Delivered, Splice
from gateway.schema.chat import ChatRequest

Body = Mapping[str, Any]

_LIMITS = ("max_tokens", "max_completion_tokens")

# What makes an answer fit a grammar from its first character on, which a continuation does not have; and what repeats
# the prefill. The others are vLLM's and llama.cpp's own.
_WHOLE_ANSWERS_ONLY = (
    "echo",
    "grammar",
    "guided_choice",
    "guided_grammar",
    "guided_json",
    "guided_regex",
    "json_schema",
    "structured_outputs",
)
_FREE_CHOICES = (None, "auto", "none")
_NO_THOUGHTS = (None, False, "none")


@dataclass(frozen=True, slots=True)
class Continuation:
    """A request to go on with an answer, and what joins the rest to what was delivered."""

    request: ChatRequest
    joint: Splice


def continued(request: ChatRequest, delivered: Delivered, style: Prefill) -> Continuation | None:
    """Asks to go on after the delivered text; None where the provider or the request does not allow it.

    Whitespace at the end of the text is not sent, for Anthropic refuses it: the joint expects it back. Limits of tokens
    are lowered by what the text has taken at the least, so no answer ends sooner than its caller allows; it may come
    out a little longer.
    """
    said = delivered.text.rstrip()
    if not style or not said or not delivered.is_text_only or not _may_continue(request.body):
        return None
    native = request.native
    if native is not None and native.form == "anthropic":
        if not _may_continue_natively(native.body):
            return None
        native = replace(native, body=_prefilled(native.body, said, delivered))
    body = _prefilled(request.body, said, delivered)
    if style == "vllm":
        body |= {"continue_final_message": True, "add_generation_prompt": False}
    joint = Splice(Delivered.of_text(delivered.text[len(said) :]))
    return Continuation(request._replace(body=body, native=native), joint)


def may_replay(request: ChatRequest) -> bool:
    """Tells whether the request means to get the same answer each time."""
    return request.body.get("temperature") == 0 or request.body.get("seed") is not None


def _prefilled(body: Body, said: str, delivered: Delivered) -> dict[str, Any]:
    limits = {
        name: max(1, body[name] - delivered.least_tokens) for name in _LIMITS if body.get(name) is not None
    }
    messages = [*body["messages"], {"role": "assistant", "content": said}]
    return {**body, **limits, "messages": messages}


def _may_continue(body: Body) -> bool:
    response_format = body.get("response_format") or {"type": "text"}
    return (
        (body.get("n") or 1) == 1
        and response_format.get("type") == "text"
        and not any(body.get(name) for name in _WHOLE_ANSWERS_ONLY)
        and body.get("tool_choice") in _FREE_CHOICES
        and body["messages"][-1]["role"] != "assistant"
        and not _thinks(body)
    )


def _thinks(body: Body) -> bool:
    """Tells whether thoughts were asked for: a model that thinks cannot go on with words whose thoughts it lacks."""
    template = body.get("chat_template_kwargs")
    return (
        body.get("reasoning_effort") not in _NO_THOUGHTS
        or body.get("think") not in _NO_THOUGHTS
        or _is_on(body.get("thinking"))
        or (isinstance(template, Mapping) and bool(template.get("enable_thinking")))
    )


def _may_continue_natively(body: Body) -> bool:
    """Tells the same of a request in Anthropic's own form; what its own tools have found is not in the text."""
    tools = body.get("tools") or ()
    config = body.get("output_config") or {}
    return (
        body["messages"][-1]["role"] != "assistant"
        and not _is_on(body.get("thinking"))
        and (body.get("tool_choice") or {"type": "auto"}).get("type") in _FREE_CHOICES
        and not (body.get("output_format") or config.get("format"))
        and not (body.get("mcp_servers") or body.get("container"))
        and all("input_schema" in tool for tool in tools)
    )


def _is_on(thinking: Any) -> bool:
    return isinstance(thinking, Mapping) and thinking.get("type") != "disabled"
