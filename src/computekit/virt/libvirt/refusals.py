"""What libvirt says, as errors of `computekit.errors`."""

import libvirt

from computekit.errors import (
    ComputekitError,
    DeadlineExceeded,
    DomainExists,
    DomainNotFound,
    HypervisorRefused,
    HypervisorUnavailable,
    PermissionRefused,
    StorageFull,
    Unsupported,
)
from computekit.ids import InstanceId

__all__ = ["connection_is_lost", "translated"]

_LOST_CODES = {
    libvirt.VIR_ERR_INTERNAL_ERROR,
    libvirt.VIR_ERR_SYSTEM_ERROR,
    libvirt.VIR_ERR_RPC,
    libvirt.VIR_ERR_NO_CONNECT,
    libvirt.VIR_ERR_INVALID_CONN,
}
_LOST_DOMAINS = {libvirt.VIR_FROM_REMOTE, libvirt.VIR_FROM_RPC}
_UNSUPPORTED = {
    libvirt.VIR_ERR_NO_SUPPORT,
    libvirt.VIR_ERR_CONFIG_UNSUPPORTED,
    libvirt.VIR_ERR_OPERATION_UNSUPPORTED,
    libvirt.VIR_ERR_ARGUMENT_UNSUPPORTED,
}
_DENIED = {
    libvirt.VIR_ERR_OPERATION_DENIED,
    libvirt.VIR_ERR_ACCESS_DENIED,
    libvirt.VIR_ERR_AUTH_FAILED,
    libvirt.VIR_ERR_AUTH_CANCELLED,
    libvirt.VIR_ERR_AUTH_UNAVAILABLE,
}
_SOCKET_HINT = "become root, or join the group of the socket"
_FILES_HINT = "QEMU's user must be able to pass every directory above its files"
_LOCK_WAIT_S = 30.0
"""How long libvirt's QEMU driver waits for a domain that is busy."""


def connection_is_lost(error: libvirt.libvirtError) -> bool:
    """Return whether `error` says that the connection, not the call, has failed.

    Once libvirtd has gone, every call on a connection ends with one of these, for ever.
    """
    return error.get_error_code() in _LOST_CODES and error.get_error_domain() in _LOST_DOMAINS


def translated(
    error: libvirt.libvirtError, uri: str, call: str, instance: InstanceId | None = None
) -> ComputekitError:
    """Return what libvirt's `error` means.

    Args:
        error: what `call` raised.
        uri: of the connection.
        call: the port's method, for the error.
        instance: whose domain it was about, if one's.
    """
    code = error.get_error_code() or 0
    words = error.get_error_message() or str(error)
    if "Permission denied" in words:
        way_out = _SOCKET_HINT if connection_is_lost(error) else _FILES_HINT
        return PermissionRefused(uri, f"{words}; {way_out}")
    if connection_is_lost(error):
        return HypervisorUnavailable(uri, words)
    if code == libvirt.VIR_ERR_NO_DOMAIN and instance is not None:
        return DomainNotFound(instance)
    if code == libvirt.VIR_ERR_DOM_EXIST and instance is not None:
        return DomainExists(instance, words)
    if code == libvirt.VIR_ERR_OPERATION_TIMEOUT:
        return DeadlineExceeded(f"{call} ({words})", _LOCK_WAIT_S)
    if code in _DENIED:
        return PermissionRefused(uri, words)
    if code in _UNSUPPORTED:
        return Unsupported(call, words)
    if "No space left on device" in words or "Disk quota exceeded" in words:
        return StorageFull(words)
    return HypervisorRefused(call, code, words)
