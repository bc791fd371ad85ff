"""Finding our domains on a connection, and reading what they say of themselves."""

import libvirt

from computekit.ids import InstanceId
from computekit.virt.libvirt.mark import (
    MARK_KEY,
    MARK_NAMESPACE,
    Marking,
    marking_text,
    read_marking,
)
from computekit.virt.ports import DomainState, DomainStatus

__all__ = [
    "domain_name",
    "find",
    "find_name",
    "instance_of",
    "marking_of",
    "read_all",
    "status_of",
    "write_marking",
]

_PREFIX = "ck-"

_STATES = {
    libvirt.VIR_DOMAIN_NOSTATE: DomainState.RUNNING,
    libvirt.VIR_DOMAIN_RUNNING: DomainState.RUNNING,
    libvirt.VIR_DOMAIN_BLOCKED: DomainState.RUNNING,
    libvirt.VIR_DOMAIN_PAUSED: DomainState.PAUSED,
    libvirt.VIR_DOMAIN_SHUTDOWN: DomainState.RUNNING,
    libvirt.VIR_DOMAIN_SHUTOFF: DomainState.SHUTOFF,
    libvirt.VIR_DOMAIN_CRASHED: DomainState.CRASHED,
    libvirt.VIR_DOMAIN_PMSUSPENDED: DomainState.PAUSED,
}
"""A guest that is on its way to off (SHUTDOWN) still has its power."""

_OFF = {DomainState.SHUTOFF, DomainState.CRASHED}
_GONE = {libvirt.VIR_ERR_NO_DOMAIN, libvirt.VIR_ERR_NO_DOMAIN_METADATA}


def domain_name(instance: InstanceId) -> str:
    """Return what an instance's domain is called."""
    return f"{_PREFIX}{instance}"


def instance_of(domain: libvirt.virDomain) -> InstanceId | None:
    """Return whose domain it is by its name and id alone, without asking libvirtd; None: another's.

    Good enough for a hint; `marking_of` is the truth.
    """
    uuid = InstanceId(domain.UUIDString())
    return uuid if domain.name() == domain_name(uuid) else None


def find(connection: libvirt.virConnect, instance: InstanceId) -> libvirt.virDomain | None:
    """Return the domain with this id, whosever it is, or None."""
    try:
        return connection.lookupByUUIDString(instance)
    except libvirt.libvirtError as error:
        if error.get_error_code() == libvirt.VIR_ERR_NO_DOMAIN:
            return None
        raise


def find_name(connection: libvirt.virConnect, name: str) -> libvirt.virDomain | None:
    """Return the domain with this name, whosever it is, or None."""
    try:
        return connection.lookupByName(name)
    except libvirt.libvirtError as error:
        if error.get_error_code() == libvirt.VIR_ERR_NO_DOMAIN:
            return None
        raise


def marking_of(domain: libvirt.virDomain) -> Marking | None:
    """Return what we have written into a domain, or None if it is not ours, or gone."""
    try:
        text = domain.metadata(libvirt.VIR_DOMAIN_METADATA_ELEMENT, MARK_NAMESPACE)
    except libvirt.libvirtError as error:
        if error.get_error_code() in _GONE:
            return None
        raise
    return read_marking(text, domain.UUIDString())


def write_marking(domain: libvirt.virDomain, marking: Marking) -> None:
    """Write our element into the definition of a domain that is off."""
    domain.setMetadata(
        libvirt.VIR_DOMAIN_METADATA_ELEMENT,
        marking_text(marking),
        MARK_KEY,
        MARK_NAMESPACE,
        libvirt.VIR_DOMAIN_AFFECT_CONFIG,
    )


def status_of(domain: libvirt.virDomain) -> DomainStatus | None:
    """Return the status of one of our domains, or None if it is not ours, or gone."""
    marking = marking_of(domain)
    if marking is None:
        return None
    try:
        state = _STATES[domain.state()[0]]
    except libvirt.libvirtError as error:
        if error.get_error_code() in _GONE:
            return None
        raise
    return DomainStatus(marking.mark, state, None if state in _OFF else marking.boots)


def read_all(connection: libvirt.virConnect) -> tuple[DomainStatus, ...]:
    """Return the status of all our domains."""
    found = (status_of(domain) for domain in connection.listAllDomains())
    return tuple(status for status in found if status is not None)
