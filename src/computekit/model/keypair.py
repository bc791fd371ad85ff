"""A keypair: the public half of a key with which its owner gets into guests."""

import attrs

from computekit.ids import UserId
from computekit.units import Seconds

__all__ = ["Keypair"]


@attrs.frozen
class Keypair:
    """The public half of a key; the private one is never here (Compute API, keypairs).

    Attributes:
        user: whose it is.
        name: unique among that user's.
        public_key: one line, as OpenSSH writes it, or an X.509 certificate.
        kind: `ssh` or `x509`.
        fingerprint: of the key, as pairs of hex digits with colons between.
        created_s: wall clock, seconds since the Unix epoch.
    """

    user: UserId
    name: str
    public_key: str
    kind: str
    fingerprint: str
    created_s: Seconds
