from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Usage:
    """The tokens that a provider reports for one answer."""

    prompt_tokens: int
    completion_tokens: int

    @classmethod
    def from_openai(cls, reported: Any) -> "Usage | None":
        """Reads OpenAI's `usage` object; what is absent or malformed counts as not reported."""
        if not isinstance(reported, Mapping):
            return None
        prompt, completion = reported.get("prompt_tokens"), reported.get("completion_tokens", 0)
        if not isinstance(prompt, int) or not isinstance(completion, int):
            return None
        return cls(prompt, completion)

    def to_openai(self) -> dict[str, int]:
        return {
            "prompt_tokens": self.prompt_tokens,
            "completion_tokens": self.completion_tokens,
            "total_tokens": self.prompt_tokens + self.completion_tokens,
        }
