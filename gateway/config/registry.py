import re
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from gateway.config.resilience import Chain, Resilience, Seconds, Share
from gateway.config.vendors import Vendor

Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:/@-]*$", max_length=200)]
# Printable ASCII, of a length that fits into a header.
_MODEL = re.compile(r"[!-~]{1,200}")


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Timeouts(_Frozen):
    """How long the gateway waits for a provider.

    `connect_s`: for the connection. `first_byte_s`: from sending the request to the first content of a stream.
    `whole_s`: to the first byte of an answer that is not streamed, for which all of it has to be made. `idle_s`:
    between two events. `total_s`: for the whole answer.
    """

    connect_s: Seconds = 5
    first_byte_s: Seconds = 30
    whole_s: Seconds = 90
    idle_s: Seconds = 60
    total_s: Seconds = 600


class Provider(_Frozen):
    """One provider as it is configured, its variables looked up; `base_url` is empty where none is known.

    `key_id` and `session_token` belong to keys that sign. `missing` are the variables that it needs and that are not
    set. `drops_unsupported`: what it cannot do is left out of a request, and named in the answer, instead of being
    refused. `enabled` is what the configuration wants, `is_active` whether it can be had.
    """

    name: str
    vendor: Vendor
    base_url: str
    api_key_env: str | None = None
    api_key: SecretStr | None = None
    key_id: SecretStr | None = None
    session_token: SecretStr | None = None
    region: str | None = None
    missing: tuple[str, ...] = ()
    api_version: str | None = None
    drops_unsupported: bool = False
    enabled: bool = True
    timeouts: Timeouts = Timeouts()

    @property
    def secrets(self) -> tuple[str, ...]:
        """Everything that must never be shown."""
        held = (self.api_key, self.key_id, self.session_token)
        return tuple(secret.get_secret_value() for secret in held if secret)

    @property
    def runtime(self) -> Literal["local", "cloud"]:
        return self.vendor.runtime

    @property
    def is_active(self) -> bool:
        return self.enabled and not self.missing

    @property
    def lacks_key(self) -> bool:
        return self.vendor.key_required and self.api_key is None

    @property
    def public_url(self) -> str | None:
        """The address without credentials and query, fit to be shown."""
        if not self.base_url:
            return None
        parts = urlsplit(self.base_url)
        return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


class Rating(_Frozen):
    """What a model costs and how good and fast it is: 0 the least, 1 the best."""

    cost_per_1k_tokens_usd: Annotated[float, Field(ge=0, allow_inf_nan=False)]
    quality: Share
    speed: Share


class Model(_Frozen):
    """One model under the name that callers use, and where it is served.

    A model with a rating takes part in the choice among models (`auto`); `capabilities` are what it is then chosen for.
    """

    name: str
    provider: str
    upstream_model: str
    tier: str | None = None
    rating: Rating | None = None
    capabilities: frozenset[str] = frozenset({"chat"})


class Registry(_Frozen):
    """Every provider, model and chain; consistent, as `findings` has seen to it.

    `serves_any_model`: besides those that are configured, any model may be asked for as `provider/model`.
    """

    providers: Mapping[str, Provider]
    models: Mapping[str, Model]
    chains: Mapping[str, Chain]
    resilience: Resilience = Resilience()
    serves_any_model: bool = False

    @property
    def offered_models(self) -> tuple[Model, ...]:
        """The configured models whose providers are active."""
        return tuple(model for model in self.models.values() if self.providers[model.provider].is_active)

    def model_named(self, name: str) -> Model | None:
        """Finds a model by the name that callers use, be its provider active or not."""
        if name in self.models:
            return self.models[name]
        provider, _, upstream_model = name.partition("/")
        if self.serves_any_model and provider in self.providers and _may_be_a_model(upstream_model):
            return Model(name=name, provider=provider, upstream_model=upstream_model)
        return None

    def chain_of(self, name: str) -> Chain:
        """Returns how requests for a model are gone about, be there a chain for it or not."""
        return self.chains.get(name) or self._usual_chain

    @cached_property
    def _usual_chain(self) -> Chain:
        return Chain(**for_every_chain(self.resilience))

    def models_of(self, provider: str) -> Sequence[Model]:
        return self._models_by_provider.get(provider, ())

    @cached_property
    def _models_by_provider(self) -> Mapping[str, Sequence[Model]]:
        models: dict[str, list[Model]] = {}
        for model in self.models.values():
            models.setdefault(model.provider, []).append(model)
        return models


def for_every_chain(resilience: Resilience) -> dict[str, Any]:
    """Returns the settings that a chain has where it says nothing of them itself."""
    return {name: getattr(resilience, name) for name in ("triggers", "retries", "rescue", "hedge_after_s")}


def _may_be_a_model(name: str) -> bool:
    """Tells whether a name that a caller has made up may stand in headers and, at some providers, in an address."""
    return bool(_MODEL.fullmatch(name)) and not {"", ".", ".."}.intersection(name.split("/"))
