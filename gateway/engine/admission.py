from collections.abc import Iterable
from dataclasses import dataclass, field
from hashlib import sha256
from hmac import compare_digest
from typing import Literal

from gateway.kernel.codes import ReasonCode
from gateway.kernel.errors import AccessError

Role = Literal["anonymous", "user", "admin"]


@dataclass(frozen=True, slots=True)
class Credentials:
    """The keys that a request presents: as a bearer token, and in the header for administrators."""

    bearer: str | None = field(default=None, repr=False)
    admin_key: str | None = field(default=None, repr=False)


class Admission:
    """Decides who may call, in constant time."""

    def __init__(self, user_keys: Iterable[str], admin_keys: Iterable[str]) -> None:
        self._user_digests = tuple(_digest(key) for key in user_keys)
        self._admin_digests = tuple(_digest(key) for key in admin_keys)

    def admit_user(self, credentials: Credentials) -> Role:
        """Admits holders of a user or admin key, and everybody where no user keys are configured.

        Raises AccessError.
        """
        if not self._user_digests:
            return "anonymous"
        presented = [key for key in (credentials.bearer, credentials.admin_key) if key]
        if not presented:
            raise AccessError(ReasonCode.AUTHENTICATION_REQUIRED)
        roles = {self._role_of(key) for key in presented}
        if roles == {"anonymous"}:
            raise AccessError(ReasonCode.INVALID_API_KEY)
        return "admin" if "admin" in roles else "user"

    def admit_admin(self, credentials: Credentials) -> Role:
        """Admits holders of an admin key; the header for administrators is asked first.

        Raises AccessError.
        """
        if not self._admin_digests:
            raise AccessError(ReasonCode.CONTROL_PLANE_NOT_CONFIGURED)
        presented = credentials.admin_key or credentials.bearer
        if not presented:
            raise AccessError(ReasonCode.ADMIN_KEY_REQUIRED)
        role = self._role_of(presented)
        if role == "user":
            raise AccessError(ReasonCode.PERMISSION_DENIED)
        if role == "anonymous":
            raise AccessError(ReasonCode.INVALID_ADMIN_KEY)
        return role

    def _role_of(self, key: str) -> Role:
        digest = _digest(key)
        is_admin, is_user = _is_among(digest, self._admin_digests), _is_among(digest, self._user_digests)
        return "admin" if is_admin else "user" if is_user else "anonymous"


def _digest(key: str) -> bytes:
    # Digests are of equal length, so that not even the length of a key shows in the time.
    return sha256(key.encode(errors="surrogateescape")).digest()


def _is_among(digest: bytes, known: tuple[bytes, ...]) -> bool:
    return sum(compare_digest(digest, candidate) for candidate in known) > 0
