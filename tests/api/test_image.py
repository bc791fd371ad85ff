"""The image service over HTTP: described, filled, found, changed, and nobody else's business."""

import hashlib
import json
import random
from pathlib import Path
from typing import Any

import attrs
import pytest

from computekit.api.image import IMAGE_VERSIONS
from computekit.errors import StorageFull
from computekit.http import Application, NoAuth2, PlainDialect, Settings
from computekit.http.image import image_endpoints, is_upload
from computekit.ids import ImageId
from computekit.images import ByteSource, KeptImage, KeptImages
from computekit.testing import ManualClock
from computekit.units import Bytes, Seconds
from tests.api.wsgi import Caller, Reply

ID = "6d9f1b52-7c3e-4a80-b1d4-5e2f90c8a713"
DISK = b"\xfa\x33\xc0".ljust(4096, b"\0") + b"end."
JSON = {"content_type": "application/json"}
OCTETS = {"content_type": "application/octet-stream"}
PATCH = {"content_type": "application/openstack-images-v2.1-json-patch"}
WHO = {
    "admin": {"x_auth_token": "admin:p0"},
    "ann": {"x_auth_token": "ann:p1", "x_roles": "member,reader"},
    "rea": {"x_auth_token": "rea:p1", "x_roles": "reader"},
    "bob": {"x_auth_token": "bob:p2", "x_roles": "member,reader"},
    "odd": {"x_auth_token": "odd:p1", "x_roles": "other"},
}


@attrs.frozen
class Service:
    call: Caller
    images: KeptImages
    clock: ManualClock
    path: Path

    def ask(self, who: str, method: str, path: str, body: Any = None, **headers: str) -> Reply:
        raw = body if isinstance(body, bytes | None) else json.dumps(body).encode()
        kind = JSON if body is not None and "content_type" not in headers else {}
        return self.call(method, f"/v2/images{path}", raw, **WHO[who], **kind, **headers)

    def create(self, who: str = "ann", **more: Any) -> Any:
        said = {"name": "disk", "disk_format": "raw", "container_format": "bare", **more}
        reply = self.ask(who, "POST", "", said)
        assert reply.status == 201, reply.body
        return reply.json

    def filled(self, who: str = "ann", **more: Any) -> Any:
        image = self.create(who, **more)
        reply = self.ask(who, "PUT", f"/{image['id']}/file", DISK, **OCTETS)
        assert reply.status == 204, reply.body
        return self.ask(who, "GET", f"/{image['id']}").json

    def names(self, who: str, query: str = "") -> list[str]:
        reply = self.ask(who, "GET", query)
        assert reply.status == 200, reply.body
        return [image["name"] for image in reply.json["images"]]


@pytest.fixture
def service(tmp_path: Path) -> Service:
    clock = ManualClock()
    images = KeptImages(tmp_path, clock, random.Random(1))
    endpoints = image_endpoints(images, clock, random.Random(2), Bytes(1024**2))
    settings = Settings(
        IMAGE_VERSIONS,
        NoAuth2(),
        clock,
        random.Random(3),
        dialect=PlainDialect(),
        body_limit=Bytes(256 * 1024),
    )
    call = Caller(Application(endpoints, settings), {"host": "h:1"})
    return Service(call, images, clock, tmp_path)


def test_versions_are_for_everybody(service: Service) -> None:
    reply = service.call("GET", "/")
    assert reply.status == 300
    assert reply.json["versions"][0]["id"] == "v2.9"
    assert reply.json["versions"][0]["links"] == [{"rel": "self", "href": "http://h:1/v2/"}]
    assert service.call("GET", "/versions").status == 200


def test_from_description_to_file_and_back(service: Service) -> None:
    image = service.create(os_distro="debian", tags=["b", "a", "b"], min_disk=2, min_ram=64)
    assert (image["status"], image["size"], image["checksum"]) == ("queued", None, None)
    assert (image["visibility"], image["owner"]) == ("shared", "p1")
    assert image["tags"] == ["a", "b"]
    assert service.ask("ann", "GET", f"/{image['id']}/file").status == 409
    assert service.ask("ann", "PUT", f"/{image['id']}/file", DISK, **OCTETS).status == 204
    image = service.ask("ann", "GET", f"/{image['id']}").json
    assert (image["status"], image["size"], image["virtual_size"]) == ("active", 4100, 4608)
    assert image["checksum"] == hashlib.md5(DISK).hexdigest()
    assert image["os_hash_algo"] == "sha512"
    assert image["os_hash_value"] == hashlib.sha512(DISK).hexdigest()
    assert image["os_distro"] == "debian"
    reply = service.ask("ann", "GET", f"/{image['id']}/file")
    assert (reply.status, reply.body) == (200, DISK)
    assert reply.headers["content-type"] == "application/octet-stream"
    assert reply.headers["content-md5"] == image["checksum"]
    assert service.ask("ann", "PUT", f"/{image['id']}/file", DISK, **OCTETS).status == 409
    assert service.ask("ann", "DELETE", f"/{image['id']}").status == 204
    assert service.ask("ann", "GET", f"/{image['id']}").status == 404
    assert service.images.all_kept() == ()


@pytest.mark.parametrize(
    ("said", "status", "body", "bounds"),
    [
        ("bytes=0-3", 206, DISK[:4], "bytes 0-3/4100"),
        ("bytes=4096-", 206, b"end.", "bytes 4096-4099/4100"),
        ("bytes=-4", 206, b"end.", "bytes 4096-4099/4100"),
        ("bytes=0-", 206, DISK, "bytes 0-4099/4100"),
        ("bytes=-99999", 206, DISK, "bytes 0-4099/4100"),
        ("bytes=4099-9999999", 206, b".", "bytes 4099-4099/4100"),
        ("bytes=4100-", 416, None, "bytes */4100"),
        ("bytes=-0", 416, None, "bytes */4100"),
        ("bytes=5-2", 200, DISK, None),
        ("bytes=-", 200, DISK, None),
        ("bytes=0-1,3-4", 200, DISK, None),
        ("lines=1-2", 200, DISK, None),
        ("bytes=" + "9" * 50 + "-", 200, DISK, None),
        ("", 200, DISK, None),
    ],
)
def test_parts_of_a_file(
    service: Service, said: str, status: int, body: bytes | None, bounds: str | None
) -> None:
    image = service.filled()
    reply = service.ask("ann", "GET", f"/{image['id']}/file", range=said)
    assert (reply.status, reply.headers.get("content-range")) == (status, bounds)
    assert body is None or reply.body == body


SEEN = {"admin": 200, "ann": 200, "rea": 200, "bob": 404, "odd": 403}


@pytest.mark.parametrize("who", SEEN)
def test_who_sees_the_image_of_a_project(service: Service, who: str) -> None:
    image = service.filled()
    assert service.ask(who, "GET", f"/{image['id']}").status == SEEN[who]
    assert service.ask(who, "GET", f"/{image['id']}/file").status == SEEN[who]
    listed = service.ask(who, "GET", f"?id=in:{image['id']}")
    assert len(listed.json.get("images", ())) == (SEEN[who] == 200)


@pytest.mark.parametrize(
    ("who", "private", "public"), [("rea", 403, 403), ("bob", 404, 403), ("odd", 403, 403)]
)
def test_who_may_not_change_an_image(service: Service, who: str, private: int, public: int) -> None:
    mine, open_ = service.create(), service.create("admin", owner="p1", visibility="public")
    for image, status in ((mine, private), (open_, public)):
        path = f"/{image['id']}"
        patch = [{"op": "replace", "path": "/name", "value": "x"}]
        assert service.ask(who, "PATCH", path, patch, **PATCH).status == status
        assert service.ask(who, "PUT", f"{path}/file", DISK, **OCTETS).status == status
        assert service.ask(who, "DELETE", path).status == status
        assert service.ask(who, "PUT", f"{path}/tags/t").status == status
        assert service.ask("admin", "GET", path).json == image
    assert service.ask("rea", "POST", "", {"name": "x"}).status == 403


def test_nobody_learns_anything(service: Service) -> None:
    image = service.filled()
    for method, path in (
        ("GET", ""),
        ("POST", ""),
        ("GET", f"/{image['id']}"),
        ("GET", f"/{image['id']}/file"),
        ("PUT", f"/{image['id']}/file"),
        ("DELETE", f"/{image['id']}"),
    ):
        reply = service.call(method, f"/v2/images{path}", b"{}", **JSON)
        assert reply.status == 401
        assert image["id"] not in reply.body.decode()


def test_only_an_admin_makes_images_public_or_gives_them_away(service: Service) -> None:
    image = service.create()
    assert service.ask("ann", "POST", "", {"visibility": "public"}).status == 403
    assert service.ask("ann", "POST", "", {"owner": "p2"}).status == 403
    for path, value in (("/visibility", "public"), ("/owner", "p2")):
        patch = [{"op": "replace", "path": path, "value": value}]
        assert service.ask("ann", "PATCH", f"/{image['id']}", patch, **PATCH).status == 403
    patch = [{"op": "replace", "path": "/visibility", "value": "public"}]
    changed = service.ask("admin", "PATCH", f"/{image['id']}", patch, **PATCH)
    assert changed.json["visibility"] == "public"
    assert service.ask("bob", "GET", f"/{image['id']}").status == 200


def test_patches(service: Service) -> None:
    image = service.filled(os_distro="debian")
    service.clock.advance(Seconds(5.0))
    path = f"/{image['id']}"
    patch = [
        {"op": "replace", "path": "/name", "value": "other"},
        {"op": "add", "path": "/hw_cpu_policy", "value": "dedicated"},
        {"op": "add", "path": "/a~1b~0c", "value": "odd"},
        {"op": "remove", "path": "/os_distro"},
        {"op": "replace", "path": "/min_disk", "value": 3},
        {"op": "replace", "path": "/tags", "value": ["t"]},
        {"op": "replace", "path": "/protected", "value": True},
    ]
    reply = service.ask("ann", "PATCH", path, patch, **PATCH)
    assert reply.status == 200, reply.body
    said = reply.json
    assert (said["name"], said["hw_cpu_policy"], said["a/b~c"]) == ("other", "dedicated", "odd")
    assert (said["min_disk"], said["tags"], said["protected"]) == (3, ["t"], True)
    assert "os_distro" not in said
    assert said["updated_at"] > said["created_at"]
    assert service.images.image(ImageId(image["id"])).properties["hw_cpu_policy"] == "dedicated"
    assert service.ask("ann", "DELETE", path).status == 403
    assert service.ask("ann", "GET", path).json == said


@pytest.mark.parametrize(
    ("patch", "status"),
    [
        ([{"op": "replace", "path": "/status", "value": "active"}], 403),
        ([{"op": "replace", "path": "/checksum", "value": "0"}], 403),
        ([{"op": "replace", "path": "/id", "value": ID}], 403),
        ([{"op": "remove", "path": "/name"}], 403),
        ([{"op": "replace", "path": "/disk_format", "value": "qcow2"}], 403),
        ([{"op": "remove", "path": "/none"}], 409),
        ([{"op": "replace", "path": "/none", "value": "x"}], 409),
        ([{"op": "move", "path": "/name", "from": "/x"}], 400),
        ([{"op": "replace", "path": "/name"}], 400),
        ([{"op": "replace", "path": "name", "value": "x"}], 400),
        ([{"op": "replace", "path": "/tags/0", "value": "x"}], 400),
        ([{"op": "replace", "path": "/name", "value": 7}], 400),
        ([{"op": "replace", "path": "/name", "value": "a\0b"}], 400),
        ([{"op": "add", "path": "/deep", "value": {"a": 1}}], 400),
        ([{"op": "replace", "path": "/visibility", "value": "secret"}], 400),
        ({"op": "replace"}, 400),
        ([7], 400),
        (None, 400),
        ([{"op": "add", "path": f"/p{n}", "value": "x"} for n in range(300)], 400),
        ([{"op": "add", "path": "/p", "value": "x"}] * 1001, 400),
    ],
)
def test_patches_that_cannot_be(service: Service, patch: Any, status: int) -> None:
    image = service.filled()
    body = json.dumps(patch).encode()
    reply = service.ask("ann", "PATCH", f"/{image['id']}", body, **PATCH)
    assert reply.status == status, reply.body
    assert service.ask("ann", "GET", f"/{image['id']}").json == image


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"{", 400),
        (b"[]", 400),
        (b"null", 400),
        (b"\xff", 400),
        (b"[" * 100_000, 400),
        (b'{"a":' * 20_000 + b"1" + b"}" * 20_000, 400),
        (b'{"name": "a", "name": "b"}', 400),
        (b'{"x": "a", "x": "b"}', 400),
        (b'{"min_disk": 1e999}', 400),
        (b'"' + b"x" * 300_000 + b'"', 413),
        ({"id": "../../etc"}, 400),
        ({"id": ID.upper()}, 400),
        ({"name": 7}, 400),
        ({"name": "a\0"}, 400),
        ({"name": "x" * 256}, 400),
        ({"min_disk": -1}, 400),
        ({"min_disk": True}, 400),
        ({"disk_format": "vmdk"}, 400),
        ({"disk_format": "iso"}, 400),
        ({"container_format": "docker"}, 400),
        ({"tags": "x"}, 400),
        ({"os_distro": 7}, 400),
        ({"": "x"}, 400),
        ({"k": "a\0"}, 400),
        ({"k": "x" * 70_000}, 400),
        ({f"p{n}": "x" for n in range(300)}, 400),
        ({"status": "active"}, 403),
        ({"size": 1}, 403),
    ],
)
def test_descriptions_that_cannot_be(service: Service, body: Any, status: int) -> None:
    reply = service.ask("ann", "POST", "", body)
    assert reply.status == status, reply.body
    assert service.images.all_kept() == ()


def test_every_fault_is_told_at_once(service: Service) -> None:
    said = {"name": 7, "min_disk": "x", "os_distro": 1, "id": "nope"}
    message = service.ask("ann", "POST", "", said).json["error"]["message"]
    for path in ("body.name", "body.min_disk", "os_distro"):
        assert path in message


def test_an_id_may_be_chosen_once(service: Service) -> None:
    assert service.create(id=ID)["id"] == ID
    assert service.ask("bob", "POST", "", {"id": ID}).status == 409


@pytest.mark.parametrize(
    ("disk_format", "content"),
    [
        ("raw", b"QFI\xfb".ljust(4096, b"\0")),
        ("raw", b"KDMV".ljust(4096, b"\0")),
        ("raw", b'# Disk DescriptorFile\nversion=1\nRW 1 FLAT "/etc/shadow" 0\n'.ljust(4096)),
        ("qcow2", DISK),
        ("qcow2", b"QFI\xfb" + b"\0\0\0\3" + b"\0" * 7 + b"\x68" + b"\0\0\0\x0b" + b"\0" * 90),
        ("ari", DISK),
        ("raw", b""),
    ],
)
def test_files_that_are_not_what_they_say(
    service: Service, disk_format: str, content: bytes
) -> None:
    image = service.create(disk_format=disk_format)
    reply = service.ask("ann", "PUT", f"/{image['id']}/file", content, **OCTETS)
    assert reply.status == 400
    assert "is refused" in reply.json["error"]["message"]
    assert service.ask("ann", "GET", f"/{image['id']}").json["status"] == "queued"
    assert {path.name for path in service.path.iterdir()} == {".lock", ".records"}


def test_files_that_are_too_long(service: Service) -> None:
    image = service.create()
    for environ in ({}, {"CONTENT_LENGTH": "", "HTTP_TRANSFER_ENCODING": "chunked"}):
        caller = Caller(service.call.application, {}, environ)
        path = f"/v2/images/{image['id']}/file"
        reply = caller("PUT", path, b"x" * (1024**2 + 1), **WHO["ann"], **OCTETS)
        assert reply.status == 413
    assert {path.name for path in service.path.iterdir()} == {".lock", ".records"}


def test_a_full_disk_and_a_cut_upload_leave_nothing(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    image = service.create()
    path = f"/v2/images/{image['id']}/file"
    cut = Caller(service.call.application, {}, {"CONTENT_LENGTH": "9000"})
    assert cut("PUT", path, DISK, **WHO["ann"], **OCTETS).status == 400

    def full(_images: KeptImages, _image: ImageId, _source: ByteSource) -> KeptImage:
        raise StorageFull("/somewhere/private")

    with monkeypatch.context() as patch:
        patch.setattr(KeptImages, "fill", full)
        reply = service.call("PUT", path, DISK, **WHO["ann"], **OCTETS)
    assert reply.status == 413
    assert "private" not in reply.json["error"]["message"]
    assert {path.name for path in service.path.iterdir()} == {".lock", ".records"}
    assert service.ask("ann", "PUT", f"/{image['id']}/file", DISK, **OCTETS).status == 204


def test_lists(service: Service) -> None:
    for name, more in (
        ("a", {"tags": ["x"], "os_distro": "debian"}),
        ("b", {"tags": ["x", "y"], "protected": True}),
        ("c", {"os_hidden": True}),
        ("d,e", {"disk_format": "qcow2"}),
    ):
        service.create(name=name, **more)
        service.clock.advance(Seconds(1.0))
    service.create("bob", name="bob's")
    service.filled("admin", name="open", visibility="public")
    assert service.names("ann") == ["open", "d,e", "b", "a"]
    assert service.names("bob") == ["open", "bob's"] or service.names("bob") == ["bob's", "open"]
    for query, names in (
        ("?name=a", ["a"]),
        ('?name=in:a,"d,e"', ["d,e", "a"]),
        ("?name=nothing", []),
        ("?tag=x", ["b", "a"]),
        ("?tag=x&tag=y", ["b"]),
        ("?os_distro=debian", ["a"]),
        ("?os_distro=x", []),
        ("?protected=true", ["b"]),
        ("?os_hidden=true", ["c"]),
        ("?status=active", ["open"]),
        ("?status=in:queued,active&sort=name:asc", ["a", "b", "d,e", "open"]),
        ("?visibility=public", ["open"]),
        ("?visibility=private", []),
        ("?owner=p1&sort_key=name&sort_dir=asc", ["a", "b", "d,e"]),
        ("?disk_format=qcow2", ["d,e"]),
        ("?size_min=1", ["open"]),
        ("?size_max=0&sort_key=name", ["d,e", "b", "a"]),
        ("?limit=0", []),
    ):
        assert service.names("ann", query) == names, query


def test_pages(service: Service) -> None:
    for number in range(5):
        service.create(name=f"i{number}")
        service.clock.advance(Seconds(1.0))
    seen, path = [], "?limit=2&sort=name:asc"
    for _ in range(3):
        said = service.ask("ann", "GET", path).json
        seen += [image["name"] for image in said["images"]]
        path = said.get("next", "").removeprefix("/v2/images")
    assert (seen, path) == ([f"i{number}" for number in range(5)], "")
    assert service.ask("ann", "GET", f"?marker={ID}").status == 400


BAD_QUERIES = (
    "limit=x",
    "limit=-1",
    "limit=" + "9" * 40,
    "size_min=1.5",
    "visibility=x",
    "sort=x",
    "sort=name:up",
    "%ff=%ff",
    "protected=maybe",
    "name=%00",
    "marker=../..",
)


@pytest.mark.parametrize("query", BAD_QUERIES)
def test_queries_that_cannot_be(service: Service, query: str) -> None:
    assert service.ask("ann", "GET", f"?{query}").status == 400


@pytest.mark.parametrize(
    "image", ["nothing", ID, ID.upper(), "..%2f..%2fetc", "%00", "%ff", "x" * 4000, ".records"]
)
def test_images_that_are_not_there(service: Service, image: str) -> None:
    for method, path in (("GET", ""), ("GET", "/file"), ("DELETE", ""), ("PUT", "/tags/x")):
        assert service.ask("admin", method, f"/{image}{path}").status == 404, (method, path)
    upload = service.ask("admin", "PUT", f"/{image}/file", DISK, **OCTETS)
    assert upload.status == 404


def test_tags(service: Service) -> None:
    image = service.create()
    path = f"/{image['id']}"
    for _ in range(2):
        assert service.ask("ann", "PUT", f"{path}/tags/new").status == 204
    assert service.ask("ann", "GET", path).json["tags"] == ["new"]
    assert service.ask("ann", "DELETE", f"{path}/tags/new").status == 204
    assert service.ask("ann", "DELETE", f"{path}/tags/new").status == 404
    assert service.ask("ann", "PUT", f"{path}/tags/{'x' * 256}").status == 400


def test_wrong_media_types(service: Service) -> None:
    image = service.create()
    path = f"/{image['id']}"
    assert service.ask("ann", "POST", "", b"{}", content_type="text/plain").status == 415
    assert service.ask("ann", "PATCH", path, b"[]", **JSON).status == 415
    assert service.ask("ann", "PUT", f"{path}/file", DISK, **JSON).status == 415


def test_the_file_of_nobody_can_be_given_to_somebody(service: Service) -> None:
    import io

    added = service.images._files.add("old", "raw", io.BytesIO(DISK))
    assert service.ask("ann", "GET", f"/{added.id}").status == 404
    said = service.ask("admin", "GET", f"/{added.id}").json
    assert (said["os_hash_algo"], said["os_hash_value"]) == ("sha256", added.sha256)
    patch = [{"op": "replace", "path": "/owner", "value": "p1"}]
    assert service.ask("admin", "PATCH", f"/{added.id}", patch, **PATCH).status == 200
    assert service.ask("ann", "GET", f"/{added.id}/file").body == DISK


def test_which_requests_bring_files() -> None:
    assert is_upload("PUT", f"/image/v2/images/{ID}/file")
    for method, path in (
        ("POST", f"/v2/images/{ID}/file"),
        ("PUT", f"/v2/images/{ID}"),
        ("PUT", f"/v2/images/{ID}/file/x"),
        ("PUT", f"/v2/images/{ID}/tags/file/x"),
    ):
        assert not is_upload(method, path)
