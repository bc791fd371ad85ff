"""The services that an all-in-one has beside compute: identity, images and networks."""

import random
from collections.abc import Callable
from typing import TYPE_CHECKING

import attrs

from computekit.access import SignIn
from computekit.api import identity as identity_api
from computekit.api import image as image_api
from computekit.api import network as network_api
from computekit.http import Answer, Application, Endpoint, PlainDialect, Settings
from computekit.http.identity import identity_document, identity_endpoints
from computekit.http.image import image_document, image_endpoints
from computekit.http.network import network_document, network_endpoints
from computekit.units import Mib, mib_to_bytes
from computekit_daemons.state import Wired

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

__all__ = ["stand_ins"]

BODY_LIMIT = mib_to_bytes(Mib(1))
"""No body of theirs is longer, but for the files of images, which are not read at once."""


def stand_ins(wired: Wired, sign_in: SignIn, shared: Settings) -> "dict[str, WSGIApplication]":
    """Return the services by the names that they are mounted at.

    Args:
        wired: what is served.
        sign_in: knows who there is.
        shared: what all services are told alike.
    """
    plain = attrs.evolve(shared, dialect=PlainDialect(), body_limit=BODY_LIMIT)
    network = attrs.evolve(plain, dialect=PlainDialect("NeutronError"))
    clock, source = shared.clock, random.SystemRandom()

    def service(
        endpoints: tuple[Endpoint, ...],
        settings: Settings,
        document: Callable[[tuple[Endpoint, ...]], bytes],
    ) -> Application:
        said = Answer(200, document(endpoints))
        return Application(endpoints, settings, {"/openapi.json": lambda: said})

    return {
        "identity": service(
            identity_endpoints(sign_in),
            attrs.evolve(plain, versions=identity_api.IDENTITY_VERSIONS),
            identity_document,
        ),
        "image": service(
            image_endpoints(wired.images, clock, source),
            attrs.evolve(plain, versions=image_api.IMAGE_VERSIONS),
            image_document,
        ),
        "network": service(
            network_endpoints(),
            attrs.evolve(network, versions=network_api.NETWORK_VERSIONS),
            network_document,
        ),
    }
