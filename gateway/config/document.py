"""The configuration file, field by field, as it stands in YAML."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag

from gateway.config.registry import Name, Rating, Timeouts
from gateway.config.resilience import Rescue, Resilience, Retries, Seconds, Triggers

Capability = Literal["chat", "embeddings", "tools", "vision"]
Variable = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]
ProviderName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", max_length=64)]


class _Entry(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class ProviderEntry(_Entry):
    vendor: str | None = None
    base_url: str | None = None
    api_key_env: Variable | None = None
    key_id_env: Variable | None = None
    session_token_env: Variable | None = None
    bearer_env: Variable | None = None
    region: Annotated[str, Field(pattern=r"^[a-z0-9-]+$")] | None = None
    api_version: Annotated[str, Field(pattern=r"^[A-Za-z0-9.-]+$")] | None = None
    unsupported: Literal["refuse", "drop"] = "refuse"
    enabled: bool = True
    timeouts: Timeouts = Timeouts()


class ModelEntry(_Entry):
    provider: str
    upstream_model: Annotated[str, Field(min_length=1)] | None = None
    tier: Annotated[str, Field(min_length=1)] | None = None
    rating: Rating | None = None
    capabilities: list[Capability] = ["chat"]


class ChainEntry(_Entry):
    """A chain in its long form; of `retries` and `triggers` only what is written differs from `resilience`."""

    fallbacks: list[str] = Field(default_factory=list)
    rescue: Rescue | None = None
    hedge_after_s: Seconds | None = None
    retries: Retries | None = None
    triggers: Triggers | None = None


def _form_of(chain: Any) -> str:
    return SHORT if isinstance(chain, list) else LONG


SHORT, LONG = "[short]", "[long]"
"""The forms of a chain, as they stand in the places of pydantic's complaints."""

ChainForm = Annotated[
    Annotated[list[str], Tag(SHORT)] | Annotated[ChainEntry, Tag(LONG)], Discriminator(_form_of)
]


def fallbacks_of(chain: list[str] | ChainEntry) -> list[str]:
    return chain if isinstance(chain, list) else chain.fallbacks


class Document(_Entry):
    providers: dict[ProviderName, ProviderEntry] = Field(default_factory=dict)
    models: dict[Name, ModelEntry] = Field(default_factory=dict)
    chains: dict[str, ChainForm] = Field(default_factory=dict)
    resilience: Resilience = Resilience()
