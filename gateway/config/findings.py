from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Literal
from urllib.parse import urlsplit

from gateway.config.document import ChainEntry, Document, fallbacks_of
from gateway.config.located import Path
from gateway.config.registry import Provider, Registry


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that is wrong, or doubtful, in a configuration file."""

    severity: Literal["error", "warning"]
    code: str
    message: str
    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.severity} [{self.code}] {self.message}"


@dataclass(frozen=True, slots=True)
class Remark:
    """A finding before its place in the file is looked up; `path` leads to the value at fault."""

    severity: Literal["error", "warning"]
    code: str
    message: str
    path: Path


def check_names(document: Document, vendors: Mapping[str, object]) -> Iterator[Remark]:
    """Looks for vendors, providers and models that are named but not there."""
    for name, provider in document.providers.items():
        vendor = provider.vendor or name
        if vendor not in vendors:
            known = ", ".join(vendors)
            problem = f"provider {name!r}: the vendor {vendor!r} is unknown; known are {known}"
            yield Remark("error", "unknown_vendor", problem, ("providers", name, "vendor"))
    for name, model in document.models.items():
        if model.provider not in document.providers:
            problem = f"model {name!r} names the provider {model.provider!r}, which is not configured"
            yield Remark("error", "unknown_provider", problem, ("models", name, "provider"))
    for name in document.chains:
        yield from _check_chain_names(name, document)
    for index, name in enumerate(document.resilience.fallback_order):
        if name not in document.providers:
            problem = f"the order of fallbacks names the provider {name!r}, which is not configured"
            yield Remark("error", "unknown_provider", problem, ("resilience", "fallback_order", index))


def _check_chain_names(name: str, document: Document) -> Iterator[Remark]:
    if name not in document.models:
        yield Remark(
            "error", "unknown_model", f"a chain is given for {name!r}, which is no model", ("chains", name)
        )
    chain = document.chains[name]
    for index, fallback in enumerate(fallbacks_of(chain)):
        if fallback not in document.models:
            problem = f"the chain of {name!r} names {fallback!r}, which is no model"
            yield Remark("error", "unknown_model", problem, _place_of(name, chain, index))


def _place_of(name: str, chain: list[str] | ChainEntry, index: int) -> Path:
    return ("chains", name, index) if isinstance(chain, list) else ("chains", name, "fallbacks", index)


def check_chains(document: Document) -> Iterator[Remark]:
    """Looks for chains that lead back to where they began; each circle is reported once."""
    chains = {name: fallbacks_of(chain) for name, chain in document.chains.items()}
    reported: set[frozenset[str]] = set()
    for start, fallbacks in chains.items():
        for circle in _circles(chains, (start,)):
            if frozenset(circle) in reported:
                continue
            reported.add(frozenset(circle))
            path = _place_of(start, document.chains[start], fallbacks.index((*circle, start)[1]))
            if len(circle) == 1:
                yield Remark("error", "chain_to_itself", f"the chain of {start!r} falls back to itself", path)
            else:
                route = " -> ".join((*circle, start))
                yield Remark("error", "circular_chain", f"the chain is circular: {route}", path)


def _circles(chains: Mapping[str, list[str]], walked: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    for following in chains.get(walked[-1], ()):
        if following == walked[0]:
            yield walked
        elif following not in walked:
            yield from _circles(chains, (*walked, following))


def check_registry(registry: Registry) -> Iterator[Remark]:
    """Looks at what is named correctly but cannot work, or not safely."""
    if not registry.models:
        yield Remark("warning", "nothing_to_serve", "no model is configured", ("models",))
    for provider in registry.providers.values():
        yield from _check_address(provider)
        if provider.enabled:
            yield from _check_variables(provider)
        if not registry.models_of(provider.name):
            problem = f"provider {provider.name!r} has no models"
            yield Remark("warning", "no_models", problem, ("providers", provider.name))
    for model in registry.models.values():
        if not registry.providers[model.provider].enabled:
            problem = f"model {model.name!r} is not offered: its provider {model.provider!r} is disabled"
            yield Remark("warning", "disabled_provider", problem, ("models", model.name, "provider"))


def _check_variables(provider: Provider) -> Iterator[Remark]:
    here = ("providers", provider.name)
    fields = {provider.vendor.base_url_env: "base_url", provider.vendor.region_env: "region"}
    for variable in provider.missing:
        field = fields.get(variable)
        instead = f"{field} or " if field else ""
        needs = f"it needs {instead}the variable {variable}, which is not set"
        problem = f"provider {provider.name!r} is not active: {needs}"
        yield Remark("warning", "missing_variable", problem, (*here, field or "api_key_env"))


def _check_address(provider: Provider) -> Iterator[Remark]:
    if not provider.base_url:
        return
    here = ("providers", provider.name, "base_url")
    if not _is_address(provider.base_url):
        problem = (
            f"base_url of {provider.name!r} must be an http or https address without credentials or query"
        )
        yield Remark("error", "invalid_url", problem, here)
    elif provider.base_url.startswith("http:") and not is_loopback(
        urlsplit(provider.base_url).hostname or ""
    ):
        problem = (
            f"base_url of {provider.name!r} is plain http to another machine: keys and prompts can be read"
        )
        yield Remark("warning", "plain_http", problem, here)


def _is_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        complete = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
    return complete and not (parts.username or parts.password or parts.query or parts.fragment)


def is_loopback(host: str) -> bool:
    """Tells whether a host name or address can only be this machine."""
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
