"""`clouds.yaml`: how a stock OpenStack client finds this cloud, and says who it is.

JSON is YAML, so it is written as that: quoted as it must be, without a library.
"""

import json
from pathlib import Path

from computekit.access.first_start import ADMIN, MEMBER, PROJECT, Secrets
from computekit.access.private import write_private

__all__ = ["CLOUD", "clouds", "write_clouds"]

CLOUD = "computekit"
"""The name of the cloud; a second one, with `-demo` behind it, is of the user who is no admin."""

_SERVICES = {"compute": "compute/v2.1", "image": "image", "network": "network"}
_BY_DOMAIN = {"user_domain_name": "Default", "project_domain_name": "Default"}


def clouds(url: str, auth: str, secrets: Secrets) -> dict[str, object]:
    """Return the content of the file.

    `identity_api_version` is there because stock clients ask for it before they list servers,
    however they say who they are.

    Args:
        url: of the server, without a slash at its end.
        auth: `none`, `token`, `basic` or `password`; of any other the caller has to say who it is,
            and to whom.
        secrets: what is written into it.
    """
    passwords = {name: secret.reveal().decode() for name, secret in secrets.passwords}
    overrides: dict[str, object] = {
        f"{service}_endpoint_override": f"{url}/{path}" for service, path in _SERVICES.items()
    }
    shared: dict[str, object] = {"region_name": "RegionOne", "identity_api_version": "3"}
    if auth not in ("none", "token", "basic", "password"):
        return {"clouds": {CLOUD: {"auth": {}, **overrides, **shared}}}
    overrides["identity_endpoint_override"] = f"{url}/identity"
    endpoint = f"{url}/compute/v2.1"
    if auth == "none":
        of_admin: dict[str, object] = {
            "auth_type": "none",
            "auth": {"endpoint": endpoint},
            **overrides,
        }
        return {"clouds": {CLOUD: {**of_admin, **shared}}}
    if auth == "token":
        token = secrets.token.reveal().decode()
        of_admin = {
            "auth_type": "admin_token",
            "auth": {"endpoint": endpoint, "token": token},
            **overrides,
        }
        return {"clouds": {CLOUD: {**of_admin, **shared}}}
    found: dict[str, object] = {}
    for name, user in ((CLOUD, ADMIN), (f"{CLOUD}-demo", MEMBER)):
        said: dict[str, str] = {"username": user}
        if user in passwords:
            said["password"] = passwords[user]
        if auth == "basic":
            of_user = {
                "auth_type": "http_basic",
                "auth": {"endpoint": endpoint, **said},
                **overrides,
            }
        else:
            said = {"auth_url": f"{url}/identity/v3", "project_name": PROJECT, **said, **_BY_DOMAIN}
            of_user = {"auth_type": "password", "auth": said}
        found[name] = {**of_user, **shared}
    return {"clouds": found}


def write_clouds(path: Path, url: str, auth: str, secrets: Secrets) -> None:
    """Write the file, readable by this user alone.

    Raises:
        StorageFull: no space.
        PermissionRefused: this user may not write there.
    """
    write_private(path, json.dumps(clouds(url, auth, secrets), indent=2).encode() + b"\n")
