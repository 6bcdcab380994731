from gateway.config.registry import Provider
from gateway.dialects import DIALECTS, Dialect
from gateway.schema.exchange import Endpoint


def endpoint_of(provider: Provider) -> Endpoint:
    """Joins a provider's address and key for the dialects."""
    key = provider.api_key.get_secret_value() if provider.api_key else None
    return Endpoint(base_url=provider.base_url, api_key=key)


def dialect_of(provider: Provider) -> Dialect:
    return DIALECTS[provider.vendor.dialect]
