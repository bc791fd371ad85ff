"""A hypervisor that keeps real rules and runs nothing."""

from computekit.virt.fake.hypervisor import FakeHypervisor

__all__ = ["FakeHypervisor"]
