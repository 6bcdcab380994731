"""Providers reached by another way than their own address: through a fault proxy, or where nobody listens."""

from urllib.parse import urlsplit

from fixtures.targets.protocol import Registry


def host_of(base_url: str) -> str:
    """Return the "host:port" of an address."""
    return urlsplit(base_url).netloc


def reroute(registry: Registry, provider: str, host: str) -> None:
    """Let a gateway's configuration reach a provider at this "host:port" instead of its own."""
    entry = registry["providers"][provider]
    entry["base_url"] = urlsplit(entry["base_url"])._replace(netloc=host).geturl()
