"""What operations work with: one value that holds every port."""

import random

import attrs

from computekit.agent import HostClient
from computekit.clock import Clock
from computekit.compute.ports import InstanceWriter
from computekit.errors import NotFound
from computekit.guest import HostDefaults
from computekit.ids import InstanceId
from computekit.journal import Journal
from computekit.model import Instance
from computekit.placement import PlacementWriter
from computekit.scheduler import HostWriter, Scheduler
from computekit.virt.ports import ImageSource
from computekit.work import Store

__all__ = ["Services"]


@attrs.frozen
class Services:
    """The ports of one service; all that write share `store`.

    Attributes:
        store: commits.
        instances: their rows.
        placement: the books of resources.
        hosts: their rows.
        journal: operations.
        scheduler: chooses hosts; its index follows `store`.
        client: asks hosts.
        images: what instances boot.
        defaults: what a guest gets where flavor and image are silent.
        clock: time.
        random: ids.
    """

    store: Store
    instances: InstanceWriter
    placement: PlacementWriter
    hosts: HostWriter
    journal: Journal
    scheduler: Scheduler
    client: HostClient
    images: ImageSource
    defaults: HostDefaults
    clock: Clock
    random: random.Random

    def existing(self, instance: InstanceId) -> Instance:
        """Return an instance.

        Raises:
            NotFound: there is none.
        """
        row = self.instances.instance(instance)
        if row is None:
            raise NotFound("instance", instance)
        return row
