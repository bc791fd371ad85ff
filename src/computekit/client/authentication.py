"""How a client says who it is: a callable that gives headers, asked before each request."""

from base64 import b64encode
from collections.abc import Callable, Mapping

from computekit.secret import Secret

__all__ = ["Authentication", "basic", "token"]

Authentication = Callable[[], Mapping[str, str]]
"""Gives the headers that prove who calls; one that renews its token gives the new one."""


def token(value: Secret) -> Authentication:
    """Return what sends `value` as `X-Auth-Token`: of Keystone, or noauth2's `user:project`."""

    def headers() -> Mapping[str, str]:
        return {"X-Auth-Token": value.reveal().decode("latin-1")}

    return headers


def basic(user: str, password: Secret) -> Authentication:
    """Return what sends HTTP basic authentication (RFC 7617)."""

    def headers() -> Mapping[str, str]:
        pair = user.encode() + b":" + password.reveal()
        return {"Authorization": f"Basic {b64encode(pair).decode('ascii')}"}

    return headers
