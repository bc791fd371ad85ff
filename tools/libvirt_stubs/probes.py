"""One real call, or more, of everything that libvirt's test driver answers."""

from collections.abc import Callable

import attrs
import libvirt

from tools.libvirt_stubs.bench import CHECKPOINT, SNAPSHOT, Bench

__all__ = ["PROBES", "Probe"]

_CPU = "<cpu><arch>x86_64</arch><model>qemu64</model></cpu>"
_DOMAIN = """
<domain type='test'>
  <name>other</name><memory>1024</memory><os><type arch='i686'>hvm</type></os>
</domain>
"""
_HOST = "<host mac='52:54:00:00:00:05' ip='192.168.122.77'/>"
_INTERFACE = (
    "<interface type='ethernet' name='other'><mac address='52:54:00:00:00:02'/></interface>"
)
_NETWORK = "<network><name>other</name><bridge name='other0'/></network>"
_POOL = "<pool type='dir'><name>other</name><target><path>/nonexistent/other</path></target></pool>"
_SOURCE = "<source><host name='localhost'/></source>"
_VOLUME = "<volume><name>other</name><capacity>1048576</capacity></volume>"


@attrs.frozen
class Probe:
    """A call of `method` (`class.method` or `function`)."""

    method: str
    call: Callable[[Bench], object]


def _last(*results: object) -> object:
    """Return the result of the last of several calls."""
    return results[-1]


def _failure(bench: Bench) -> libvirt.libvirtError:
    try:
        bench.connection.lookupByID(99)
    except libvirt.libvirtError as error:
        return error
    raise AssertionError("there is a domain 99")


def _ignore(*_arguments: object) -> None:
    """Take whatever a callback is given."""


def _domain_event(bench: Bench) -> int:
    number = bench.connection.domainEventRegisterAny(
        None, libvirt.VIR_DOMAIN_EVENT_ID_LIFECYCLE, _ignore, None
    )
    bench.connection.domainEventDeregisterAny(number)
    return number


def _network_event(bench: Bench) -> int:
    number = bench.connection.networkEventRegisterAny(
        None, libvirt.VIR_NETWORK_EVENT_ID_LIFECYCLE, _ignore, None
    )
    bench.connection.networkEventDeregisterAny(number)
    return number


def _pool_event(bench: Bench) -> int:
    number = bench.connection.storagePoolEventRegisterAny(
        None, libvirt.VIR_STORAGE_POOL_EVENT_ID_LIFECYCLE, _ignore, None
    )
    bench.connection.storagePoolEventDeregisterAny(number)
    return number


def _device_event(bench: Bench) -> int:
    number = bench.connection.nodeDeviceEventRegisterAny(
        None, libvirt.VIR_NODE_DEVICE_EVENT_ID_LIFECYCLE, _ignore, None
    )
    bench.connection.nodeDeviceEventDeregisterAny(number)
    return number


def _handle() -> int:
    watch = libvirt.virEventAddHandle(0, libvirt.VIR_EVENT_HANDLE_ERROR, _ignore, None)
    libvirt.virEventRemoveHandle(watch)
    return watch


def _timeout() -> int:
    timer = libvirt.virEventAddTimeout(-1, _ignore, None)
    libvirt.virEventRemoveTimeout(timer)
    return timer


# What takes no arguments: the object, and the names of its methods.
_PLAIN: tuple[tuple[str, Callable[[Bench], object], str], ...] = (
    (
        "virConnect",
        lambda b: b.connection,
        """
        c_pointer changeBegin getAllDomainStats getCapabilities getCPUMap getFreeMemory
        getHostname getInfo getLibVersion getSecurityModel getSysinfo getType getURI getVersion
        isAlive isEncrypted isSecure listAllDevices listAllDomains listAllInterfaces
        listAllNetworks listAllStoragePools listDefinedDomains listDefinedInterfaces
        listDefinedNetworks listDefinedStoragePools listDomainsID listInterfaces listNetworks
        listStoragePools newStream numOfDefinedDomains numOfDefinedInterfaces
        numOfDefinedNetworks numOfDefinedStoragePools numOfDomains numOfInterfaces numOfNetworks
        numOfStoragePools virConnGetLastError
        """,
    ),
    (
        "virConnect",
        lambda b: b.watched(),
        """
        unregisterCloseCallback
        """,
    ),
    (
        "virDomain",
        lambda b: b.domain,
        """
        autostart blkioParameters c_pointer connect controlInfo destroy destroyFlags diskErrors
        emulatorPinInfo fsFreeze fsInfo getTime guestVcpus hasCurrentSnapshot
        hasManagedSaveImage hostname ID info injectNMI ioThreadInfo isActive isPersistent
        isUpdated listAllCheckpoints listAllSnapshots managedSave maxMemory maxVcpus
        memoryParameters memoryStats messages migrateGetCompressionCache migrateGetMaxDowntime
        name numaParameters OSType perfEvents reboot reset schedulerParameters schedulerType
        securityLabel shutdown shutdownFlags snapshotListNames snapshotNum state suspend
        undefine undefineFlags UUID UUIDString vcpuPinInfo vcpus vcpusFlags XMLDesc
        """,
    ),
    (
        "virDomainCheckpoint",
        lambda b: b.checkpoints()[1],
        """
        c_pointer connect domain getConnect getDomain getName getParent getXMLDesc
        """,
    ),
    (
        "virDomainSnapshot",
        lambda b: b.snapshots()[1],
        """
        c_pointer connect domain getConnect getDomain getName getParent getXMLDesc hasMetadata
        isCurrent
        """,
    ),
    (
        "virInterface",
        lambda b: b.interface,
        """
        c_pointer connect destroy isActive MACString name undefine XMLDesc
        """,
    ),
    (
        "virNetwork",
        lambda b: b.network,
        """
        autostart bridgeName c_pointer connect destroy isActive isPersistent name UUID
        UUIDString XMLDesc
        """,
    ),
    (
        "virNodeDevice",
        lambda b: b.device,
        """
        c_pointer connect listCaps name numOfCaps parent XMLDesc
        """,
    ),
    (
        "virStoragePool",
        lambda b: b.pool,
        """
        autostart c_pointer connect destroy info isActive isPersistent listAllVolumes
        listVolumes name numOfVolumes refresh UUID UUIDString XMLDesc
        """,
    ),
    (
        "virStorageVol",
        lambda b: b.volume,
        """
        c_pointer connect info key name path storagePoolLookupByVolume XMLDesc
        """,
    ),
    (
        "virStream",
        lambda b: b.png(),
        """
        abort c_pointer connect finish
        """,
    ),
    (
        "libvirtError",
        _failure,
        """
        get_error_code get_error_domain get_error_level get_error_message get_int1 get_int2
        get_str1 get_str2 get_str3
        """,
    ),
)

# What takes arguments, or needs a step before.
_CALLS: tuple[tuple[str, Callable[[Bench], object]], ...] = (
    ("getVersion", lambda b: libvirt.getVersion()),
    ("getVersion", lambda b: libvirt.getVersion("test")),
    ("open", lambda b: libvirt.open("test:///default")),
    (
        "openAuth",
        lambda b: libvirt.openAuth(
            "test:///default", [[libvirt.VIR_CRED_PASSPHRASE], lambda _c, _o: 0, None]
        ),
    ),
    ("openReadOnly", lambda b: libvirt.openReadOnly("test:///default")),
    ("registerErrorHandler", lambda b: libvirt.registerErrorHandler(lambda _c, _e: None, None)),
    ("virEventRegisterDefaultImpl", lambda b: libvirt.virEventRegisterDefaultImpl()),
    ("virGetLastError", lambda _b: libvirt.virGetLastError()),
    ("virGetLastError", lambda b: _last(_failure(b), libvirt.virGetLastError())),
    ("virGetLastErrorCode", lambda b: _last(_failure(b), libvirt.virGetLastErrorCode())),
    ("virGetLastErrorDomain", lambda b: _last(_failure(b), libvirt.virGetLastErrorDomain())),
    ("virGetLastErrorMessage", lambda b: libvirt.virGetLastErrorMessage()),
    ("virInitialize", lambda b: libvirt.virInitialize()),
    ("virResetLastError", lambda b: libvirt.virResetLastError()),
    ("virConnect.__enter__", lambda b: b.connection.__enter__()),
    ("virConnect.__exit__", lambda b: b.another().__exit__(None, None, None)),
    ("virConnect.baselineCPU", lambda b: b.connection.baselineCPU([_CPU])),
    (
        "virConnect.changeCommit",
        lambda b: _last(b.connection.changeBegin(), b.connection.changeCommit()),
    ),
    (
        "virConnect.changeRollback",
        lambda b: _last(b.connection.changeBegin(), b.connection.changeRollback()),
    ),
    ("virConnect.close", lambda b: b.another().close()),
    ("virConnect.createLinux", lambda b: b.connection.createLinux(_DOMAIN)),
    ("virConnect.createXML", lambda b: b.connection.createXML(_DOMAIN)),
    ("virConnect.defineXML", lambda b: b.connection.defineXML(_DOMAIN)),
    ("virConnect.defineXMLFlags", lambda b: b.connection.defineXMLFlags(_DOMAIN)),
    ("virConnect.domainEventRegisterAny", _domain_event),
    ("virConnect.networkEventRegisterAny", _network_event),
    ("virConnect.storagePoolEventRegisterAny", _pool_event),
    ("virConnect.nodeDeviceEventRegisterAny", _device_event),
    ("virEventAddHandle", lambda _b: _handle()),
    ("virEventAddTimeout", lambda _b: _timeout()),
    ("virConnect.domainListGetStats", lambda b: b.connection.domainListGetStats([b.domain])),
    (
        "virConnect.findStoragePoolSources",
        lambda b: b.connection.findStoragePoolSources("logical", None),
    ),
    (
        "virConnect.findStoragePoolSources",
        lambda b: b.connection.findStoragePoolSources("netfs", _SOURCE),
    ),
    ("virConnect.getCellsFreeMemory", lambda b: b.connection.getCellsFreeMemory(0, 2)),
    ("virConnect.getCPUModelNames", lambda b: b.connection.getCPUModelNames("x86_64")),
    ("virConnect.getCPUStats", lambda b: b.connection.getCPUStats(-1)),
    ("virConnect.getCPUStats", lambda b: b.connection.getCPUStats(0)),
    ("virConnect.getFreePages", lambda b: b.connection.getFreePages([4, 2048], 0, 2)),
    ("virConnect.getMaxVcpus", lambda b: b.connection.getMaxVcpus(None)),
    ("virConnect.getMaxVcpus", lambda b: b.connection.getMaxVcpus("test")),
    ("virConnect.interfaceDefineXML", lambda b: b.connection.interfaceDefineXML(_INTERFACE)),
    (
        "virConnect.interfaceLookupByMACString",
        lambda b: b.connection.interfaceLookupByMACString("aa:bb:cc:dd:ee:ff"),
    ),
    ("virConnect.interfaceLookupByName", lambda b: b.connection.interfaceLookupByName("eth1")),
    ("virConnect.listDevices", lambda b: b.connection.listDevices(None)),
    ("virConnect.listDevices", lambda b: b.connection.listDevices("scsi_host")),
    ("virConnect.lookupByID", lambda b: b.connection.lookupByID(1)),
    ("virConnect.lookupByName", lambda b: b.connection.lookupByName("test")),
    ("virConnect.lookupByUUID", lambda b: b.connection.lookupByUUID(b.domain.UUID())),
    (
        "virConnect.lookupByUUIDString",
        lambda b: b.connection.lookupByUUIDString(b.domain.UUIDString()),
    ),
    ("virConnect.networkCreateXML", lambda b: b.connection.networkCreateXML(_NETWORK)),
    ("virConnect.networkCreateXMLFlags", lambda b: b.connection.networkCreateXMLFlags(_NETWORK)),
    ("virConnect.networkDefineXML", lambda b: b.connection.networkDefineXML(_NETWORK)),
    ("virConnect.networkDefineXMLFlags", lambda b: b.connection.networkDefineXMLFlags(_NETWORK)),
    ("virConnect.networkLookupByName", lambda b: b.connection.networkLookupByName("default")),
    (
        "virConnect.networkLookupByUUID",
        lambda b: b.connection.networkLookupByUUID(b.network.UUID()),
    ),
    (
        "virConnect.networkLookupByUUIDString",
        lambda b: b.connection.networkLookupByUUIDString(b.network.UUIDString()),
    ),
    (
        "virConnect.nodeDeviceLookupByName",
        lambda b: b.connection.nodeDeviceLookupByName("computer"),
    ),
    ("virConnect.numOfDevices", lambda b: b.connection.numOfDevices(None)),
    (
        "virConnect.registerCloseCallback",
        lambda b: b.connection.registerCloseCallback(_ignore, None),
    ),
    ("virConnect.storagePoolCreateXML", lambda b: b.connection.storagePoolCreateXML(_POOL)),
    ("virConnect.storagePoolDefineXML", lambda b: b.connection.storagePoolDefineXML(_POOL)),
    (
        "virConnect.storagePoolLookupByName",
        lambda b: b.connection.storagePoolLookupByName("default-pool"),
    ),
    (
        "virConnect.storagePoolLookupByUUID",
        lambda b: b.connection.storagePoolLookupByUUID(b.pool.UUID()),
    ),
    (
        "virConnect.storagePoolLookupByUUIDString",
        lambda b: b.connection.storagePoolLookupByUUIDString(b.pool.UUIDString()),
    ),
    (
        "virConnect.storageVolLookupByKey",
        lambda b: b.connection.storageVolLookupByKey(b.volume.key()),
    ),
    (
        "virConnect.storageVolLookupByPath",
        lambda b: b.connection.storageVolLookupByPath(b.volume.path()),
    ),
    (
        "virConnect.virConnGetLastError",
        lambda b: _last(_failure(b), b.connection.virConnGetLastError()),
    ),
    ("virDomain.addIOThread", lambda b: b.domain.addIOThread(7)),
    ("virDomain.blockInfo", lambda b: b.domain.blockInfo("vda")),
    ("virDomain.blockIoTune", lambda b: b.domain.blockIoTune("vda")),
    ("virDomain.blockStats", lambda b: b.domain.blockStats("vda")),
    (
        "virDomain.checkpointCreateXML",
        lambda b: b.domain.checkpointCreateXML(CHECKPOINT.format("other")),
    ),
    (
        "virDomain.checkpointLookupByName",
        lambda b: _last(b.checkpoints(), b.domain.checkpointLookupByName("first")),
    ),
    ("virDomain.coreDump", lambda b: b.domain.coreDump(b.file())),
    (
        "virDomain.coreDumpWithFormat",
        lambda b: b.domain.coreDumpWithFormat(b.file(), libvirt.VIR_DOMAIN_CORE_DUMP_FORMAT_RAW),
    ),
    ("virDomain.create", lambda b: b.shut_off().create()),
    ("virDomain.createWithFiles", lambda b: b.shut_off().createWithFiles([])),
    ("virDomain.createWithFlags", lambda b: b.shut_off().createWithFlags()),
    ("virDomain.delIOThread", lambda b: b.domain.delIOThread(1)),
    ("virDomain.fsFreeze", lambda b: b.domain.fsFreeze(["/"])),
    ("virDomain.fsThaw", lambda b: b.frozen().fsThaw(["/"])),
    ("virDomain.fSTrim", lambda b: b.domain.fSTrim(None, 0)),
    ("virDomain.getCPUStats", lambda b: b.domain.getCPUStats(True)),
    ("virDomain.getCPUStats", lambda b: b.domain.getCPUStats(False)),
    ("virDomain.hasManagedSaveImage", lambda b: b.saved().hasManagedSaveImage()),
    (
        "virDomain.interfaceAddresses",
        lambda b: b.domain.interfaceAddresses(libvirt.VIR_DOMAIN_INTERFACE_ADDRESSES_SRC_LEASE),
    ),
    (
        "virDomain.interfaceAddresses",
        lambda b: b.domain.interfaceAddresses(libvirt.VIR_DOMAIN_INTERFACE_ADDRESSES_SRC_AGENT),
    ),
    ("virDomain.interfaceParameters", lambda b: b.domain.interfaceParameters("testnet0")),
    ("virDomain.interfaceStats", lambda b: b.domain.interfaceStats("testnet0")),
    (
        "virDomain.listAllCheckpoints",
        lambda b: _last(b.checkpoints(), b.domain.listAllCheckpoints()),
    ),
    ("virDomain.listAllSnapshots", lambda b: _last(b.snapshots(), b.domain.listAllSnapshots())),
    ("virDomain.managedSaveRemove", lambda b: b.saved().managedSaveRemove()),
    ("virDomain.memoryPeek", lambda b: b.domain.memoryPeek(0, 8, libvirt.VIR_MEMORY_VIRTUAL)),
    ("virDomain.metadata", lambda b: b.domain.metadata(libvirt.VIR_DOMAIN_METADATA_TITLE, None)),
    (
        "virDomain.metadata",
        lambda b: b.domain.metadata(libvirt.VIR_DOMAIN_METADATA_ELEMENT, "urn:probe"),
    ),
    ("virDomain.pinEmulator", lambda b: b.domain.pinEmulator((True, False))),
    ("virDomain.pinIOThread", lambda b: b.domain.pinIOThread(1, (True, False))),
    ("virDomain.pinVcpu", lambda b: b.domain.pinVcpu(0, (True, False))),
    ("virDomain.pinVcpuFlags", lambda b: b.domain.pinVcpuFlags(0, (True, False))),
    ("virDomain.rename", lambda b: b.shut_off().rename("renamed")),
    ("virDomain.resume", lambda b: b.suspended().resume()),
    ("virDomain.revertToSnapshot", lambda b: b.domain.revertToSnapshot(b.snapshots()[0])),
    ("virDomain.save", lambda b: b.domain.save(b.file())),
    ("virDomain.saveFlags", lambda b: b.domain.saveFlags(b.file())),
    ("virDomain.screenshot", lambda b: b.domain.screenshot(b.connection.newStream(), 0)),
    ("virDomain.sendKey", lambda b: b.domain.sendKey(libvirt.VIR_KEYCODE_SET_LINUX, 0, [30], 1)),
    (
        "virDomain.sendProcessSignal",
        lambda b: b.domain.sendProcessSignal(1, libvirt.VIR_DOMAIN_PROCESS_SIGNAL_TERM),
    ),
    ("virDomain.setAutostart", lambda b: b.domain.setAutostart(1)),
    ("virDomain.setBlkioParameters", lambda b: b.domain.setBlkioParameters({"weight": 500})),
    (
        "virDomain.setBlockIoTune",
        lambda b: b.domain.setBlockIoTune(
            "vda", {"total_bytes_sec": 1000, "total_bytes_sec_max": 2000}
        ),
    ),
    (
        "virDomain.setInterfaceParameters",
        lambda b: b.domain.setInterfaceParameters("testnet0", {"inbound.average": 10}),
    ),
    (
        "virDomain.setLifecycleAction",
        lambda b: b.domain.setLifecycleAction(
            libvirt.VIR_DOMAIN_LIFECYCLE_POWEROFF, libvirt.VIR_DOMAIN_LIFECYCLE_ACTION_DESTROY
        ),
    ),
    ("virDomain.setMaxMemory", lambda b: b.shut_off().setMaxMemory(1 << 20)),
    ("virDomain.setMemory", lambda b: b.domain.setMemory(1 << 18)),
    ("virDomain.setMemoryFlags", lambda b: b.domain.setMemoryFlags(1 << 18)),
    (
        "virDomain.setMemoryParameters",
        lambda b: b.domain.setMemoryParameters({"hard_limit": 1 << 20}),
    ),
    ("virDomain.setMemoryStatsPeriod", lambda b: b.domain.setMemoryStatsPeriod(3)),
    (
        "virDomain.setMetadata",
        lambda b: b.domain.setMetadata(libvirt.VIR_DOMAIN_METADATA_TITLE, None, None, None),
    ),
    (
        "virDomain.setMetadata",
        lambda b: b.domain.setMetadata(
            libvirt.VIR_DOMAIN_METADATA_ELEMENT, "<note/>", "p", "urn:other"
        ),
    ),
    ("virDomain.setNumaParameters", lambda b: b.domain.setNumaParameters({"numa_nodeset": "0"})),
    ("virDomain.setPerfEvents", lambda b: b.domain.setPerfEvents({"cmt": True})),
    ("virDomain.setSchedulerParameters", lambda b: b.domain.setSchedulerParameters({"weight": 60})),
    ("virDomain.setTime", lambda b: b.domain.setTime({"seconds": 1, "nseconds": 0})),
    ("virDomain.setUserPassword", lambda b: b.domain.setUserPassword("user", "password")),
    ("virDomain.setVcpus", lambda b: b.domain.setVcpus(2)),
    ("virDomain.setVcpusFlags", lambda b: b.domain.setVcpusFlags(2)),
    ("virDomain.snapshotCreateXML", lambda b: b.domain.snapshotCreateXML(SNAPSHOT.format("other"))),
    ("virDomain.snapshotCurrent", lambda b: _last(b.snapshots(), b.domain.snapshotCurrent())),
    ("virDomain.snapshotListNames", lambda b: _last(b.snapshots(), b.domain.snapshotListNames())),
    (
        "virDomain.snapshotLookupByName",
        lambda b: _last(b.snapshots(), b.domain.snapshotLookupByName("first")),
    ),
    ("virDomainCheckpoint.delete", lambda b: b.checkpoints()[0].delete()),
    ("virDomainCheckpoint.listAllChildren", lambda b: b.checkpoints()[0].listAllChildren()),
    ("virDomainSnapshot.delete", lambda b: b.snapshots()[0].delete()),
    ("virDomainSnapshot.listAllChildren", lambda b: b.snapshots()[0].listAllChildren()),
    ("virDomainSnapshot.listChildrenNames", lambda b: b.snapshots()[0].listChildrenNames()),
    ("virDomainSnapshot.numChildren", lambda b: b.snapshots()[0].numChildren()),
    ("virInterface.create", lambda b: b.connection.interfaceDefineXML(_INTERFACE).create()),
    ("virNetwork.create", lambda b: b.connection.networkDefineXML(_NETWORK).create()),
    ("virNetwork.setAutostart", lambda b: b.network.setAutostart(1)),
    ("virNetwork.undefine", lambda b: b.connection.networkDefineXML(_NETWORK).undefine()),
    (
        "virNetwork.update",
        lambda b: b.network.update(
            libvirt.VIR_NETWORK_UPDATE_COMMAND_ADD_LAST,
            libvirt.VIR_NETWORK_SECTION_IP_DHCP_HOST,
            0,
            "<host mac='52:54:00:00:00:05' ip='192.168.122.77'/>",
        ),
    ),
    ("virNodeDevice.parent", lambda b: b.connection.nodeDeviceLookupByName("scsi_host1").parent()),
    ("virStoragePool.build", lambda b: b.connection.storagePoolDefineXML(_POOL).build()),
    ("virStoragePool.create", lambda b: b.connection.storagePoolDefineXML(_POOL).create()),
    ("virStoragePool.createXML", lambda b: b.pool.createXML(_VOLUME)),
    ("virStoragePool.createXMLFrom", lambda b: b.pool.createXMLFrom(_VOLUME, b.volume)),
    ("virStoragePool.delete", lambda b: b.connection.storagePoolDefineXML(_POOL).delete()),
    ("virStoragePool.setAutostart", lambda b: b.pool.setAutostart(0)),
    ("virStoragePool.storageVolLookupByName", lambda b: b.pool.storageVolLookupByName("probe")),
    ("virStoragePool.undefine", lambda b: b.connection.storagePoolDefineXML(_POOL).undefine()),
    ("virStorageVol.delete", lambda b: b.volume.delete()),
    ("virStream.recv", lambda b: b.png().recv(64)),
    ("virStream.recvAll", lambda b: b.png().recvAll(lambda _s, _d, _o: None, None)),
)


def _call(receiver: Callable[[Bench], object], name: str) -> Callable[[Bench], object]:
    def call(bench: Bench) -> object:
        result: object = getattr(receiver(bench), name)()
        return result

    return call


PROBES: tuple[Probe, ...] = (
    *(
        Probe(f"{owner}.{name}", _call(receiver, name))
        for owner, receiver, names in _PLAIN
        for name in names.split()
    ),
    *(Probe(method, call) for method, call in _CALLS),
)
