"""A host that starts again with other specs and other devices, while things are in use."""

import json
from collections import Counter

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from computekit.errors import InvalidInput
from computekit.ids import ConsumerId, ProviderId
from computekit.model import FrozenMap, ProviderTree, ResourceClass
from computekit.pci import (
    ClaimUnits,
    FreeUnits,
    HostDevices,
    PciAddress,
    PciConfig,
    PciHost,
    PciMemory,
    PciState,
    UnitKey,
    WriteKind,
    parse_pci_config,
    parse_pci_memory,
    pci_provider_tree,
    pci_transition,
    plan_devices,
    provider_writes,
    render_pci_memory,
)
from tests.property.effort import examples
from tests.property.pci.test_forming import HOSTS, SPECS

HOST = PciHost.named("h")
VF: dict[str, object] = {"product_id": "0001", "address": {"function": "[1-3]"}}
ANY: dict[str, object] = {"product_id": "0001"}
FIRST: dict[str, object] = {"address": "0000:01:00.1"}
PAIR: dict[str, object] = {"group_type": "t", "group_name": "g"}
PF_GROUPS: dict[str, object] = {"group_type": "t", "group_by": "pf", "group_size": 2}
PAIRED = [FIRST | PAIR, {"address": "0000:02:00.1"} | PAIR]
EDITS: tuple[list[dict[str, object]], ...] = (
    [],
    [ANY],
    [VF],
    [VF | {"traits": "fast"}],
    [VF | {"resource_class": "x"}],
    [ANY, {"address": {"bus": "02"}, "product_id": "0001", "resource_class": "x"}],
    [VF | PF_GROUPS | {"group_remainder": "ungrouped"}],
    [VF | PF_GROUPS | {"group_remainder": "ignore", "group_role": "a"}],
    [VF | {"group_type": "t", "group_by": "root_port"}],
    PAIRED,
    [*PAIRED, {"address": "0000:01:00.2"} | PAIR],
    [*PAIRED, VF],
    [it | {"group_type": "u"} for it in PAIRED],
    [it | {"traits": "fast"} for it in PAIRED],
    [it | {"group_role": role} for it, role in zip(PAIRED, "ab", strict=True)],
    [{"address": "0000:01:00.0", "product_id": "0002"}],
)
Totals = dict[tuple[ProviderId, ResourceClass], int]


def totals(tree: ProviderTree) -> Totals:
    return {(it.id, name): stock.total for it in tree for name, stock in it.inventories.items()}


class Restarts(RuleBasedStateMachine):
    """What is held stays held, whatever is edited, vanishes and comes back."""

    def __init__(self) -> None:
        super().__init__()
        self.all = HOSTS[True]
        self.gone: set[PciAddress] = set()
        self.state = PciState()
        self.owners: dict[UnitKey, tuple[ConsumerId, frozenset[PciAddress]]] = {}
        self.specs: list[dict[str, object]] = []
        self.started = False

    @initialize(virtual=st.booleans(), specs=st.sampled_from(EDITS))
    def devices(self, virtual: bool, specs: list[dict[str, object]]) -> None:
        self.all = HOSTS[virtual]
        self.edit(specs)

    @rule(number=st.integers(0, 7))
    def vanish(self, number: int) -> None:
        self.gone.add(self.all.devices[number].address)

    @rule()
    def come_back(self) -> None:
        self.gone.clear()

    @rule(specs=st.sampled_from(EDITS) | SPECS)
    def edit(self, specs: list[dict[str, object]]) -> None:
        self.specs = specs
        self.start()

    @rule()
    def start(self) -> None:
        there = [it for it in self.all.devices if it.address not in self.gone]
        config = parse_pci_config_or_none(self.specs)
        if config is None:
            return
        devices = HostDevices.of(there, ())
        before = self.state
        try:
            plan = plan_devices(config, devices, HOST, before)
        except InvalidInput:
            return
        self.state, self.started = plan.state, True
        assert plan_devices(config, devices, HOST, plan.state).state == plan.state
        text = json.dumps(render_pci_memory(PciMemory(plan.state)))
        assert parse_pci_memory(text).state == plan.state
        self.written(before, plan.tree)

    def written(self, before: PciState, after: ProviderTree) -> None:
        """Check each point at which the writes may stop: what is offered is offered once."""
        old = pci_provider_tree(before, HOST)
        was, will = totals(old), totals(after)
        now = dict(was)
        for write in provider_writes(old, after):
            if write.kind is WriteKind.DELETE:
                now = {key: total for key, total in now.items() if key[0] != write.provider.id}
            elif write.kind is WriteKind.INVENTORIES:
                now = {key: total for key, total in now.items() if key[0] != write.provider.id}
                now |= {
                    (write.provider.id, name): stock.total
                    for name, stock in write.provider.inventories.items()
                }
            # All of it are units of before, until all that goes is gone; then units of after.
            bound = was if write.withdraws else will
            assert all(total <= bound.get(key, 0) for key, total in now.items())
        assert now == will

    @rule(at=st.integers(0, 20), who=st.sampled_from(("i-1", "i-2")))
    def claim(self, at: int, who: str) -> None:
        if self.state.free:
            kept = self.state.free[at % len(self.state.free)]
            units = FrozenMap({"r": kept.unit.key})
            self.state = pci_transition(self.state, ClaimUnits(ConsumerId(who), units)).state
            self.owners[kept.unit.key] = (ConsumerId(who), kept.unit.addresses)

    @rule(who=st.sampled_from(("i-1", "i-2")))
    def free(self, who: str) -> None:
        self.state = pci_transition(self.state, FreeUnits(ConsumerId(who))).state
        self.owners = {key: it for key, it in self.owners.items() if it[0] != who}

    @invariant()
    def what_is_held_stays_held(self) -> None:
        held = {
            kept.unit.key: (kept.holding.consumer, kept.unit.addresses)
            for kept in self.state.held
            if kept.holding is not None
        }
        assert held == self.owners

    @invariant()
    def nothing_is_given_away_twice(self) -> None:
        counted = [kept.unit for kept in self.state.units if kept.counted]
        assert set(Counter(at for unit in counted for at in unit.addresses).values()) <= {1}
        for at, unit in enumerate(counted):
            assert not any(unit.clashes(other) for other in counted[at + 1 :])
        groups = {at for kept in self.state.units if kept.unit.group for at in kept.unit.addresses}
        singles = {
            at for kept in self.state.free if not kept.unit.group for at in kept.unit.addresses
        }
        assert groups.isdisjoint(singles)


def parse_pci_config_or_none(specs: list[dict[str, object]]) -> PciConfig | None:
    try:
        return parse_pci_config(json.dumps({"device_spec": specs}), syntax="json")
    except InvalidInput:
        return None


TestRestarts = Restarts.TestCase
TestRestarts.settings = settings(max_examples=examples(400), stateful_step_count=20)
