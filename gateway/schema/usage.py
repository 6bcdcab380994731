from typing import Any, NamedTuple


class Usage(NamedTuple):
    """The tokens that a provider reports for one answer.

    `cached_tokens` are those of the prompt that were read from a cache, `reasoning_tokens` those of the completion that
    were thought and not said; both are contained in the other two.
    """

    prompt_tokens: int
    completion_tokens: int
    cached_tokens: int = 0
    reasoning_tokens: int = 0

    @classmethod
    def from_openai(cls, reported: Any) -> "Usage | None":
        """Reads OpenAI's `usage` object; what is absent or malformed counts as not reported."""
        if not isinstance(reported, dict):
            return None
        prompt, completion = reported.get("prompt_tokens"), reported.get("completion_tokens", 0)
        if not isinstance(prompt, int) or not isinstance(completion, int):
            return None
        cached = _detail(reported, "prompt_tokens_details", "cached_tokens")
        reasoning = _detail(reported, "completion_tokens_details", "reasoning_tokens")
        return cls(prompt, completion, cached, reasoning)

    def to_openai(self) -> dict[str, Any]:
        """Writes OpenAI's `usage` object; details only where there are any."""
        told: dict[str, Any] = {
            "prompt_tokens": self.prompt_tokens,
            "completion_tokens": self.completion_tokens,
            "total_tokens": self.prompt_tokens + self.completion_tokens,
        }
        if self.cached_tokens:
            told["prompt_tokens_details"] = {"cached_tokens": self.cached_tokens}
        if self.reasoning_tokens:
            told["completion_tokens_details"] = {"reasoning_tokens": self.reasoning_tokens}
        return told


def _detail(reported: dict[str, Any], group: str, name: str) -> int:
    details = reported.get(group)
    count = details.get(name) if isinstance(details, dict) else None
    return count if isinstance(count, int) else 0
