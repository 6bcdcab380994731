from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gateway.kernel.errors import ProviderFailure
from gateway.schema.usage import Usage


@dataclass(frozen=True, slots=True)
class NativeEvents:
    """Events of a stream as the provider sent them, in a format named by `form`: "anthropic"."""

    form: str
    bodies: tuple[Mapping[str, Any], ...]


# Not frozen, though nobody changes one: a stream makes one for every event, and that would take 1 us of 15.
@dataclass(slots=True)
class ChatChunk:
    """One step of a streamed answer.

    `body` is a whole `chat.completion.chunk` of OpenAI, so nothing that a provider sends is lost. `delivers`
    says that it carries something a caller would show: text, a tool call, reasoning; a role alone is none.
    `finishes` says that it gives a finish reason. `native` are the provider's own events out of which it was made.
    """

    body: dict[str, Any]
    delivers: bool = False
    finishes: bool = False
    usage: Usage | None = None
    native: NativeEvents | None = None


@dataclass(frozen=True, slots=True)
class StreamFault:
    """The provider reported an error in the stream, or sent something that cannot be read."""

    failure: ProviderFailure


StreamEvent = ChatChunk | StreamFault
