"""What the answers of the identity service look like."""

from msgspec import UNSET, Struct, UnsetType

__all__ = [
    "CatalogService",
    "Domain",
    "EndpointAnswer",
    "Links",
    "MediaType",
    "ProjectAnswer",
    "ProjectInToken",
    "ProjectRow",
    "ProjectsAnswer",
    "RoleRow",
    "RolesAnswer",
    "TokenAnswer",
    "TokenBody",
    "UserAnswer",
    "UserInToken",
    "UserRow",
    "UsersAnswer",
    "VersionAnswer",
    "VersionLink",
    "VersionRow",
    "VersionValues",
    "VersionsAnswer",
]


class VersionLink(Struct):
    """Where a version is."""

    rel: str
    href: str


class MediaType(Struct):
    """What a version is spoken in."""

    base: str
    type: str


class VersionRow(Struct):
    """One version."""

    id: str
    status: str
    updated: str
    links: list[VersionLink]
    media_types: list[MediaType]


class VersionValues(Struct):
    """All versions."""

    values: list[VersionRow]


class VersionsAnswer(Struct):
    """Which versions there are."""

    versions: VersionValues


class VersionAnswer(Struct):
    """What this version is."""

    version: VersionRow


class Domain(Struct):
    """The one domain that all are in."""

    id: str
    name: str


class UserInToken(Struct):
    """Whose a token is."""

    id: str
    name: str
    domain: Domain
    password_expires_at: None


class ProjectInToken(Struct):
    """What a token is for."""

    id: str
    name: str
    domain: Domain


class RoleRow(Struct):
    """A role."""

    id: str
    name: str


class EndpointAnswer(Struct):
    """Where a service is."""

    id: str
    interface: str
    region: str
    region_id: str
    url: str


class CatalogService(Struct):
    """One service of the catalog."""

    id: str
    type: str
    name: str
    endpoints: list[EndpointAnswer]


class TokenBody(Struct):
    """What a token means."""

    methods: list[str]
    user: UserInToken
    audit_ids: list[str]
    issued_at: str
    expires_at: str
    project: ProjectInToken | UnsetType = UNSET
    roles: list[RoleRow] | UnsetType = UNSET
    is_domain: bool | UnsetType = UNSET
    catalog: list[CatalogService] | UnsetType = UNSET


class TokenAnswer(Struct):
    """A token; the token itself is in the header `X-Subject-Token`."""

    token: TokenBody


class Links(Struct):
    """Where things are."""

    self: str
    previous: UnsetType | None = UNSET
    next: UnsetType | None = UNSET


class ProjectRow(Struct):
    """A project."""

    id: str
    name: str
    description: str
    domain_id: str
    enabled: bool
    is_domain: bool
    parent_id: str
    links: Links
    options: dict[str, str]
    tags: list[str]


class ProjectsAnswer(Struct):
    """Several projects."""

    projects: list[ProjectRow]
    links: Links


class ProjectAnswer(Struct):
    """One project."""

    project: ProjectRow


class UserRow(Struct):
    """A user."""

    id: str
    name: str
    description: str
    domain_id: str
    enabled: bool
    default_project_id: str | None
    password_expires_at: None
    links: Links
    options: dict[str, str]


class UsersAnswer(Struct):
    """Several users."""

    users: list[UserRow]
    links: Links


class UserAnswer(Struct):
    """One user."""

    user: UserRow


class RolesAnswer(Struct):
    """Several roles."""

    roles: list[RoleRow]
    links: Links
