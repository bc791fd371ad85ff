"""Which microversion a caller speaks: the header `OpenStack-API-Version`."""

from functools import lru_cache

from computekit.api import Microversion, VersionRange
from computekit.http.problem import Problem, Refused

__all__ = ["HEADER", "negotiate"]

HEADER = "openstack-api-version"


@lru_cache(maxsize=256)
def negotiate(header: str | None, versions: VersionRange) -> Microversion:
    """Return the version that a header asks for.

    Args:
        header: pairs of service and version, with commas between them; None if it is not there.
        versions: what the service speaks; pairs of other services are not looked at.

    Raises:
        Refused: 400 for what is no version, 406 for one that is not spoken.
    """
    asked = _asked(header, versions.service)
    if asked is None:
        return versions.oldest
    if asked == "latest":
        return versions.newest
    major, dot, minor = asked.partition(".")
    digits = asked.isascii() and major.isdecimal() and minor.isdecimal()
    if not (dot and digits and len(asked) <= 16):
        raise Refused(
            Problem(400, f"Invalid microversion: invalid version string: {asked}", coded=False)
        )
    version = Microversion(int(major), int(minor))
    if version not in versions:
        bounds = (("max_version", str(versions.newest)), ("min_version", str(versions.oldest)))
        detail = f"Invalid microversion: Unacceptable version header: {asked}"
        raise Refused(Problem(406, detail, extra=bounds, coded=False))
    return version


def _asked(header: str | None, service: str) -> str | None:
    found = None
    for pair in (header or "").split(","):
        name, _, version = pair.strip().partition(" ")
        if name.lower() == service and version:
            found = version.strip().lower()
    return found
