from dataclasses import dataclass
from typing import Any

from gateway.kernel.errors import ProviderFailure
from gateway.schema.usage import Usage


@dataclass(frozen=True, slots=True)
class ChatChunk:
    """One step of a streamed answer.

    `body` is a whole `chat.completion.chunk` of OpenAI, so nothing that a provider sends is lost. `delivers`
    says that it carries something a caller would show: text, a tool call, reasoning; a role alone is none.
    `finishes` says that it gives a finish reason.
    """

    body: dict[str, Any]
    delivers: bool = False
    finishes: bool = False
    usage: Usage | None = None


@dataclass(frozen=True, slots=True)
class StreamFault:
    """The provider reported an error in the stream, or sent something that cannot be read."""

    failure: ProviderFailure


StreamEvent = ChatChunk | StreamFault
