"""Servers are made from images that their makers see, and of others nothing tells."""

import io
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import attrs
import pytest

from computekit.api.compute import COMPUTE_VERSIONS
from computekit.api.image import UsableImages
from computekit.http import Application, NoAuth2, Settings
from computekit.http.compute import ComputeDialect, compute_endpoints
from computekit.ids import ImageId, ProjectId, new_uuid
from computekit.images import ImageRecord, KeptImages
from computekit.model import FrozenMap
from computekit.units import Gib, Mib, Seconds
from tests.api.clouds import ADMIN, OTHER, OWNER, ComputeCloud, compute_cloud


@attrs.frozen
class Shop:
    cloud: ComputeCloud
    images: KeptImages
    flavor: str

    def image(self, owner: str, **more: Any) -> ImageId:
        record = ImageRecord(
            id=ImageId(new_uuid(random.Random(f"{owner}{more}"))),
            name="disk",
            owner=ProjectId(owner),
            visibility="shared",
            disk_format="raw",
            container_format="bare",
            min_disk_gib=Gib(0),
            min_memory_mib=Mib(0),
            protected=False,
            hidden=False,
            tags=(),
            properties=FrozenMap(),
            created_s=Seconds(1.0),
            updated_s=Seconds(1.0),
        )
        self.images.describe(attrs.evolve(record, **more))
        self.images.fill(record.id, io.BytesIO(bytes(1 << 20)))
        return record.id

    def boot(self, image: str, who: dict[str, str]) -> tuple[int, str]:
        said = self.cloud.new_server(self.flavor, imageRef=image)
        reply = self.cloud.ask("POST", "/servers", said, who)
        fault = reply.json.get("badRequest", {})
        return reply.status, str(fault.get("message", "")).replace(image, "IMAGE")


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    made = compute_cloud(tmp_path)
    images = KeptImages(tmp_path / "fleet/images", made.fleet.clock, random.Random(9))
    services = attrs.evolve(made.cloud.services, images=images)
    cloud = attrs.evolve(made.cloud, services=services, images=UsableImages(images))
    settings = Settings(
        COMPUTE_VERSIONS, NoAuth2(), made.fleet.clock, random.Random(3), dialect=ComputeDialect()
    )
    application = Application(compute_endpoints(cloud), settings)
    made = attrs.evolve(made, cloud=cloud, application=application)
    yield Shop(made, images, made.flavor())
    made.fleet.close()


def test_who_sees_an_image_makes_servers_from_it(shop: Shop) -> None:
    own, public = shop.image("shop"), shop.image("mill", visibility="public")
    for image, who in ((own, OWNER), (own, ADMIN), (public, OWNER), (public, OTHER)):
        assert shop.boot(image, who)[0] == 202


def test_the_image_of_another_project_looks_like_none(shop: Shop) -> None:
    theirs = shop.image("mill")
    nothing = new_uuid(random.Random(77))
    assert shop.boot(theirs, OWNER) == shop.boot(nothing, OWNER)
    assert shop.boot(theirs, OWNER)[0] == 400
    assert shop.boot(shop.cloud.fleet.image.id, OWNER)[0] == 400, "it is nobody's"


@pytest.mark.parametrize("beside", ["kernel_id", "ramdisk_id"])
def test_an_image_brings_no_kernel_of_another_project(shop: Shop, beside: str) -> None:
    theirs = shop.image("mill")
    mine = shop.image("shop", properties=FrozenMap({beside: theirs}))
    assert shop.boot(mine, OWNER)[0] == 400
