"""Keypairs on the wire."""

import zlib
from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType

from computekit.api.compute.base import Page
from computekit.api.compute.keypairs import KeypairPath, KeypairQuery, NewKeypair
from computekit.errors import Fault, InvalidInput
from computekit.http.compute.binding import Reader, answer, not_offered
from computekit.http.compute.links import Link
from computekit.http.compute.query import QueryText, iso, next_link
from computekit.http.compute.versioned import Body, since
from computekit.http.wire import Answer, HttpRequest
from computekit.ids import UserId
from computekit.model import Keypair

KeyName = Annotated[str, Meta(min_length=1, max_length=255, pattern=r"^[a-zA-Z0-9 @._-]+$")]


class NewKeypairFields(Struct, kw_only=True, forbid_unknown_fields=True):
    """A keypair to be kept."""

    name: KeyName
    public_key: Annotated[str, Meta(max_length=16384)] | UnsetType = UNSET
    type: Annotated[str | UnsetType, since(2)] = UNSET
    user_id: Annotated[str | UnsetType, since(10)] = UNSET


class NewKeypairBody(Struct, forbid_unknown_fields=True):
    """A keypair to be kept, under its name."""

    keypair: NewKeypairFields


class ListedKeypair(Struct, kw_only=True):
    """A keypair in a list."""

    name: str
    public_key: str
    fingerprint: str
    type: Annotated[str, since(2)]


class MadeKeypair(Struct, kw_only=True):
    """A keypair that is kept now."""

    name: str
    public_key: str
    fingerprint: str
    user_id: str
    type: Annotated[str, since(2)]


class ShownKeypair(Struct, kw_only=True):
    """A keypair."""

    id: int
    name: str
    public_key: str
    fingerprint: str
    user_id: str
    created_at: str
    type: Annotated[str, since(2)]
    deleted: bool = False
    deleted_at: str | None = None
    updated_at: str | None = None


class KeypairItem(Struct):
    """A keypair under its name, as lists have them."""

    keypair: ListedKeypair


class KeypairsAnswer(Struct):
    """Keypairs."""

    keypairs: list[KeypairItem]
    keypairs_links: Annotated[list[Link] | UnsetType, since(35)] = UNSET


class MadeAnswer(Struct):
    """A keypair that is kept now, under its name."""

    keypair: MadeKeypair


class ShownAnswer(Struct):
    """A keypair under its name."""

    keypair: ShownKeypair


_NEW = Body(NewKeypairBody)


def parse_query_of(request: HttpRequest, minor: int) -> KeypairQuery:
    """Return which keypairs are asked for."""
    query = QueryText(request.query)
    user = query.text("user_id") if minor >= 10 else None
    asked = KeypairQuery(
        None if user is None else UserId(user),
        query.limit() if minor >= 35 else 1000,
        query.text("marker") if minor >= 35 else None,
        request.query,
    )
    query.check()
    return asked


def parse_path(request: HttpRequest, minor: int) -> KeypairPath:
    """Return which keypair is meant."""
    user = QueryText(request.query).text("user_id") if minor >= 10 else None
    return KeypairPath(request.values["name"], None if user is None else UserId(user))


def parse_new(request: HttpRequest, minor: int) -> NewKeypair:
    """Return the keypair that is to be kept."""
    asked = _NEW.parse(request.body, minor).keypair
    if isinstance(asked.public_key, UnsetType):
        if minor >= 92:
            message = "is required: make a key and send its public half"
            raise InvalidInput((Fault("keypair.public_key", "required", message),))
        raise not_offered("A key made by the server: make one yourself and send its public half")
    user = None if isinstance(asked.user_id, UnsetType) else UserId(asked.user_id)
    kind = "ssh" if isinstance(asked.type, UnsetType) else asked.type
    if kind not in {"ssh", "x509"}:
        raise InvalidInput((Fault("keypair.type", "word", "is ssh or x509"),))
    return NewKeypair(asked.name, asked.public_key.strip(), kind, user)


def render_keypairs(output: Page[Keypair], reader: Reader) -> Answer:
    """Return keypairs."""
    said = [
        KeypairItem(
            ListedKeypair(
                name=it.name, public_key=it.public_key, fingerprint=it.fingerprint, type=it.kind
            )
        )
        for it in output.items
    ]
    more: list[Link] | UnsetType = UNSET
    if output.more and output.items:
        base = reader.link("os-keypairs")
        more = [Link("next", next_link(base, output.query_text, output.items[-1].name))]
    return answer(200, KeypairsAnswer(said, more), reader)


def render_made(output: Keypair, reader: Reader) -> Answer:
    """Return a keypair that is kept now."""
    said = MadeKeypair(
        name=output.name,
        public_key=output.public_key,
        fingerprint=output.fingerprint,
        user_id=output.user,
        type=output.kind,
    )
    return answer(201 if reader.minor >= 2 else 200, MadeAnswer(said), reader)


def render_keypair(output: Keypair, reader: Reader) -> Answer:
    """Return a keypair."""
    said = ShownKeypair(
        id=zlib.crc32(f"{output.user}/{output.name}".encode()),
        name=output.name,
        public_key=output.public_key,
        fingerprint=output.fingerprint,
        user_id=output.user,
        created_at=iso(output.created_s, zulu=False),
        type=output.kind,
    )
    return answer(200, ShownAnswer(said), reader)


def render_gone(_output: None, reader: Reader) -> Answer:
    """Return that a keypair is forgotten."""
    return Answer(204 if reader.minor >= 2 else 202)
