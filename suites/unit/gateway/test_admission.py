import pytest

from gateway.engine.admission import Admission, Credentials
from gateway.kernel.codes import ReasonCode
from gateway.kernel.errors import AccessError

GUARDED = Admission(["user-one", "user-two"], ["admin-one", "admin-two"])
OPEN = Admission([], [])


@pytest.mark.parametrize(
    ("credentials", "role"),
    [
        (Credentials("user-one"), "user"),
        (Credentials("user-two"), "user"),
        (Credentials("admin-two"), "admin"),
        (Credentials(None, "admin-one"), "admin"),
        (Credentials("user-one", "admin-one"), "admin"),
    ],
)
def test_holder_of_a_key_is_admitted(credentials: Credentials, role: str) -> None:
    """Every configured key is good for inference, in either header."""
    assert GUARDED.admit_user(credentials) == role


@pytest.mark.parametrize(
    ("credentials", "code"),
    [
        (Credentials(), ReasonCode.AUTHENTICATION_REQUIRED),
        (Credentials("user-on"), ReasonCode.INVALID_API_KEY),
        (Credentials("sch\udcfcssel"), ReasonCode.INVALID_API_KEY),
    ],
    ids=["no key", "wrong key", "not even text"],
)
def test_others_are_refused(credentials: Credentials, code: ReasonCode) -> None:
    """Without a valid key there is no inference."""
    with pytest.raises(AccessError) as caught:
        GUARDED.admit_user(credentials)

    assert caught.value.code is code


def test_without_user_keys_everybody_is_admitted() -> None:
    """Where no user keys are configured inference is open, whatever key is sent."""
    assert OPEN.admit_user(Credentials()) == OPEN.admit_user(Credentials("any")) == "anonymous"


@pytest.mark.parametrize("credentials", [Credentials("admin-one"), Credentials("user-one", "admin-two")])
def test_administrator_is_admitted(credentials: Credentials) -> None:
    """An admin key is taken from either header."""
    assert GUARDED.admit_admin(credentials) == "admin"


@pytest.mark.parametrize(
    ("admission", "credentials", "code"),
    [
        (OPEN, Credentials("admin-one"), ReasonCode.CONTROL_PLANE_NOT_CONFIGURED),
        (GUARDED, Credentials(), ReasonCode.ADMIN_KEY_REQUIRED),
        (GUARDED, Credentials("wrong"), ReasonCode.INVALID_ADMIN_KEY),
        (GUARDED, Credentials("admin-one", "wrong"), ReasonCode.INVALID_ADMIN_KEY),
        (GUARDED, Credentials("user-one"), ReasonCode.PERMISSION_DENIED),
    ],
    ids=["none configured", "none sent", "wrong", "wrong in the header", "user key"],
)
def test_others_do_not_administer(admission: Admission, credentials: Credentials, code: ReasonCode) -> None:
    """Each way of not being an administrator is told apart."""
    with pytest.raises(AccessError) as caught:
        admission.admit_admin(credentials)

    assert caught.value.code is code


def test_keys_do_not_show() -> None:
    """The representation of credentials holds no key."""
    assert "one" not in repr(Credentials("user-one", "admin-one"))
