from collections.abc import Iterable
from dataclasses import dataclass, field
from hashlib import sha256
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
    """Decides who may call, in the same time however many keys there are and whatever is presented.

    Keys are looked up by their digests: a search of these tells by its time nothing of the keys themselves.
    """

    def __init__(self, user_keys: Iterable[str], admin_keys: Iterable[str]) -> None:
        self._user_digests = frozenset(map(_digest, user_keys))
        self._admin_digests = frozenset(map(_digest, admin_keys))

    def admit_user(self, credentials: Credentials) -> Role:
        """Admits holders of a user or admin key, and everybody where no user keys are configured.

        Raises AccessError.
        """
        if not self._user_digests:
            return "anonymous"
        if not (credentials.bearer or credentials.admin_key):
            raise AccessError(ReasonCode.AUTHENTICATION_REQUIRED)
        roles = (self._role_of(credentials.bearer), self._role_of(credentials.admin_key))
        if roles == ("anonymous", "anonymous"):
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

    def _role_of(self, key: str | None) -> Role:
        if not key:
            return "anonymous"
        digest = _digest(key)
        is_admin, is_user = digest in self._admin_digests, digest in self._user_digests
        return "admin" if is_admin else "user" if is_user else "anonymous"


def _digest(key: str) -> bytes:
    return sha256(key.encode(errors="surrogateescape")).digest()
