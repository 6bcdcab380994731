from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path as FilePath
from urllib.parse import urlsplit

from pydantic import ValidationError

from gateway.config.credentials import find_credentials
from gateway.config.document import LONG, SHORT, ChainEntry, Document, ProviderEntry, fallbacks_of
from gateway.config.findings import Finding, Remark, check_chains, check_names, check_registry
from gateway.config.located import Located, Path, YamlError, read_yaml
from gateway.config.registry import Model, Provider, Registry, for_every_chain
from gateway.config.resilience import Chain, Resilience
from gateway.config.vendors import Vendor
from gateway.kernel.masking import scrub

_NOT_IN_THE_FILE = frozenset({"[key]", SHORT, LONG})
_KEY_FIELDS = frozenset({"api_key", "apikey", "key", "token", "secret", "password"})


@dataclass(frozen=True, slots=True)
class Configuration:
    """What a configuration file holds; `registry` is there exactly when no finding is an error."""

    registry: Registry | None
    findings: tuple[Finding, ...]


def load_configuration(
    file: FilePath, environ: Mapping[str, str], vendors: Mapping[str, Vendor]
) -> Configuration:
    """Reads a configuration file and checks it as far as its faults allow; raises nothing."""
    try:
        located = read_yaml(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, YamlError) as error:
        return Configuration(None, (_unreadable(file, error),))
    registry, remarks = _examine(located, environ, vendors)
    findings = tuple(
        Finding(
            severity=remark.severity,
            code=remark.code,
            message=remark.message,
            file=str(file),
            line=located.line_of(remark.path),
        )
        for remark in remarks
    )
    return Configuration(registry, tuple(sorted(findings, key=lambda finding: finding.line)))


def _unreadable(file: FilePath, error: OSError | UnicodeDecodeError | YamlError) -> Finding:
    line, code, message = 1, "unreadable_file", "the file is not UTF-8 text"
    if isinstance(error, YamlError):
        line, code, message = error.line, "invalid_yaml", error.problem
    elif isinstance(error, OSError):
        message = f"the file cannot be read: {error.strerror}"
    return Finding(severity="error", code=code, message=message, file=str(file), line=line)


def _examine(
    located: Located, environ: Mapping[str, str], vendors: Mapping[str, Vendor]
) -> tuple[Registry | None, list[Remark]]:
    remarks = [*_duplicates(located), *_written_keys(located)]
    document, complaints = _validate(located)
    # A key in the file is one mistake and shall be one finding, not also an unknown field.
    blamed = {remark.path for remark in remarks}
    remarks += [remark for remark in complaints if remark.path not in blamed]
    if document is None or _has_errors(remarks):
        return None, remarks
    remarks += [*check_names(document, vendors), *check_chains(document)]
    if _has_errors(remarks):
        return None, remarks
    registry = build_registry(document, environ, vendors)
    remarks += check_registry(registry)
    return (None if _has_errors(remarks) else registry), remarks


def _has_errors(remarks: Iterable[Remark]) -> bool:
    return any(remark.severity == "error" for remark in remarks)


def _duplicates(located: Located) -> Iterator[Remark]:
    for path in located.duplicates:
        yield Remark("error", "duplicate_key", f"{_dotted(path)} is given twice", path)


def _written_keys(located: Located) -> Iterator[Remark]:
    for path, value in located.scalars():
        named = len(path) > 1 and path[0] == "providers" and str(path[-1]).lower() in _KEY_FIELDS
        if named or (isinstance(value, str) and scrub(value) != value):
            problem = f"{_dotted(path)} holds a secret: keep it in a variable and name that in api_key_env"
            yield Remark("error", "key_in_file", problem, path)


def _validate(located: Located) -> tuple[Document | None, list[Remark]]:
    try:
        return Document.model_validate(located.value if located.value is not None else {}), []
    except ValidationError as error:
        return None, [
            _complaint(problem["loc"], problem["type"], problem["msg"]) for problem in error.errors()
        ]


def _complaint(location: Path, kind: str, text: str) -> Remark:
    path = tuple(step for step in location if step not in _NOT_IN_THE_FILE)
    where = _dotted(path) or "the file"
    if kind == "extra_forbidden":
        return Remark("error", "unknown_field", f"{where} is not a field that the gateway knows", path)
    return Remark("error", "invalid_value", f"{where}: {text}", path)


def _dotted(path: Path) -> str:
    return ".".join(map(str, path))


def build_registry(document: Document, environ: Mapping[str, str], vendors: Mapping[str, Vendor]) -> Registry:
    """Joins a document whose names are right with the vendors and the environment."""
    return Registry(
        providers={
            name: _provider(name, entry, vendors[entry.vendor or name], environ)
            for name, entry in document.providers.items()
        },
        models={
            name: Model(
                name=name,
                provider=entry.provider,
                upstream_model=entry.upstream_model or name,
                tier=entry.tier,
                rating=entry.rating,
                capabilities=frozenset(entry.capabilities),
            )
            for name, entry in document.models.items()
        },
        chains={name: _chain(entry, document.resilience) for name, entry in document.chains.items()},
        resilience=document.resilience,
    )


def _chain(entry: list[str] | ChainEntry, resilience: Resilience) -> Chain:
    """Joins a chain with what holds for all of them: its own settings win, field by field."""
    stated = ChainEntry(fallbacks=entry) if isinstance(entry, list) else entry
    own = {
        name: value for name in ("rescue", "hedge_after_s") if (value := getattr(stated, name)) is not None
    }
    parts = {
        name: getattr(resilience, name).model_copy(update=value.model_dump(exclude_unset=True))
        for name in ("retries", "triggers")
        if (value := getattr(stated, name)) is not None
    }
    return Chain(**{**for_every_chain(resilience), **own, **parts, "fallbacks": tuple(fallbacks_of(entry))})


def _provider(name: str, entry: ProviderEntry, vendor: Vendor, environ: Mapping[str, str]) -> Provider:
    credentials = find_credentials(entry, vendor, environ)
    region = entry.region or (environ.get(vendor.region_env, "").strip() if vendor.region_env else "") or None
    stated = environ.get(vendor.base_url_env, "").strip() if vendor.base_url_env else ""
    url = entry.base_url or stated or _regional_url(vendor, region)
    missing = [*credentials.missing]
    if vendor.base_url_env and not url:
        missing.insert(0, vendor.base_url_env)
    if vendor.region_env and not region and (credentials.key_id or not url):
        missing.append(vendor.region_env)
    return Provider(
        name=name,
        vendor=vendor,
        base_url=_normal_url(url, vendor.default_path),
        api_key_env=credentials.key_env,
        api_key=credentials.key,
        key_id=credentials.key_id,
        session_token=credentials.session_token,
        region=region,
        missing=tuple(missing),
        api_version=entry.api_version or vendor.api_version,
        drops_unsupported=entry.unsupported == "drop",
        enabled=entry.enabled,
        timeouts=entry.timeouts,
    )


def _regional_url(vendor: Vendor, region: str | None) -> str:
    """Gives the vendor's address in a region, an empty one where that has to be known and is not."""
    url = vendor.base_url or ""
    if "{region}" not in url:
        return url
    return url.replace("{region}", region) if region else ""


def _normal_url(url: str, default_path: str) -> str:
    url = url.rstrip("/")
    try:
        has_path = bool(urlsplit(url).path)
    except ValueError:
        return url  # the check of the address will say so
    return url if has_path or not url else url + default_path
