"""What a provider cannot do: refused by name, or left out by name, but never in silence."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from gateway.kernel.codes import ReasonCode
from gateway.kernel.errors import ProviderError, ProviderFailure
from gateway.schema.embeddings import EmbeddingAnswer, EmbeddingRequest
from gateway.schema.exchange import Endpoint, UpstreamAnswer, UpstreamCall

HINTS = frozenset(
    {
        "metadata",
        "prompt_cache_key",
        "prompt_cache_retention",
        "safety_identifier",
        "service_tier",
        "store",
        "stream_options",
        "user",
        "verbosity",
    }
)
"""Fields of OpenAI's request that do not change what is asked; a format that has no place for them leaves them out."""

ECHOES = frozenset({"annotations", "extra_content", "id"})
"""Notes on an answer that callers send back with it; to another provider than that of the answer they mean nothing."""

# The values that OpenAI takes for these fields where they are absent.
_DEFAULTS: Mapping[str, Any] = MappingProxyType(
    {
        "frequency_penalty": 0,
        "function_call": "auto",
        "logit_bias": {},
        "logprobs": False,
        "modalities": ["text"],
        "n": 1,
        "parallel_tool_calls": True,
        "presence_penalty": 0,
        "response_format": {"type": "text"},
        "stream": False,
        "tool_choice": "auto",
        "top_logprobs": 0,
    }
)


def asks_nothing(param: str, value: Any) -> bool:
    """Tells whether a field of OpenAI's request may be left out without anybody missing it."""
    return value is None or param in HINTS or (param in _DEFAULTS and value == _DEFAULTS[param])


class Shortfall:
    """Collects what of one request a provider cannot do."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._drops = endpoint.drops_unsupported
        self._dropped: list[str] = []

    def note(self, param: str, detail: str) -> None:
        """Leaves a field out where the endpoint allows it; raises ProviderError that names it otherwise."""
        if not self._drops:
            raise unsupported(param, detail)
        self.leave_out(param)

    def leave_out(self, param: str) -> None:
        """Names a field that is left out in any case, as nobody needs it for the answer."""
        if param not in self._dropped:
            self._dropped.append(param)

    @property
    def dropped(self) -> tuple[str, ...]:
        """The fields that are left out, in the order in which they were noted."""
        return tuple(self._dropped)


class WithoutEmbeddings:
    """The half of a dialect that is the same for every provider without embeddings: it refuses them."""

    def encode_embeddings(self, request: EmbeddingRequest, model: str, endpoint: Endpoint) -> UpstreamCall:
        del request, model, endpoint
        raise no_embeddings()

    def decode_embeddings(self, answer: UpstreamAnswer, request: EmbeddingRequest) -> EmbeddingAnswer:
        del answer, request
        raise no_embeddings()


def unsupported(param: str, detail: str) -> ProviderError:
    """Returns the refusal of what cannot be left out without changing what is asked."""
    text = f"{param}: {detail}."
    return ProviderError(ProviderFailure(reason=ReasonCode.UNSUPPORTED_PARAMETER, detail=text, param=param))


def no_embeddings() -> ProviderError:
    """Returns the refusal of a provider that has no embeddings."""
    detail = "The provider of this model offers no embeddings."
    return ProviderError(
        ProviderFailure(reason=ReasonCode.UNSUPPORTED_OPERATION, detail=detail, param="model")
    )
