from collections.abc import Mapping
from types import MappingProxyType

from gateway.dialects.ollama import OllamaDialect
from gateway.dialects.openai import OpenAIDialect
from gateway.dialects.protocol import Dialect, StreamDecoder

__all__ = ["DIALECTS", "Dialect", "StreamDecoder"]

DIALECTS: Mapping[str, Dialect] = MappingProxyType({"ollama": OllamaDialect(), "openai": OpenAIDialect()})
