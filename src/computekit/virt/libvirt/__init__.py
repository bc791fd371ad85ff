"""The driver for real hosts: QEMU guests through libvirt 9.0 or newer.

It needs the Python package `libvirt-python` (the extra `computekit[libvirt]`).
"""

from computekit.virt.libvirt.acceleration import Acceleration, ProbeGuest, choose_acceleration
from computekit.virt.libvirt.connection import ConnectionState
from computekit.virt.libvirt.disks import LocalDisks
from computekit.virt.libvirt.domain_xml import DiskFile, DomainFiles, domain_xml
from computekit.virt.libvirt.driver import LibvirtHypervisor
from computekit.virt.libvirt.private import PrivateLibvirtd

__all__ = [
    "Acceleration",
    "ConnectionState",
    "DiskFile",
    "DomainFiles",
    "LibvirtHypervisor",
    "LocalDisks",
    "PrivateLibvirtd",
    "ProbeGuest",
    "choose_acceleration",
    "domain_xml",
]
