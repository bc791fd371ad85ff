"""The operations of the identity service, bound to who there is and to how they look."""

from computekit.access import SignIn
from computekit.api.identity import PeopleCalls, Service, TokenCalls
from computekit.api.identity import base as base_api
from computekit.api.identity import people as people_api
from computekit.api.identity import tokens as token_api
from computekit.http.endpoint import Endpoint, endpoint
from computekit.http.identity import people, tokens
from computekit.http.placement.words import worded

__all__ = ["SERVICES", "identity_endpoints"]

SERVICES = (
    Service("compute", "computekit-compute", "/compute/v2.1"),
    Service("identity", "computekit-identity", "/identity"),
    Service("image", "computekit-image", "/image"),
    Service("network", "computekit-network", "/network"),
)


def identity_endpoints(
    sign_in: SignIn, services: tuple[Service, ...] = SERVICES
) -> tuple[Endpoint, ...]:
    """Return every operation of the identity service.

    Args:
        sign_in: gives tokens, and knows who there is.
        services: the catalog, below the root of the server that serves this below one name.
    """
    return (
        *_versions(),
        *_tokens(TokenCalls(sign_in), services),
        *_people(PeopleCalls(sign_in.directory)),
    )


def _versions() -> tuple[Endpoint, ...]:
    return (
        endpoint(base_api.SHOW_VERSIONS, base_api.show_place, people.VersionsForm()),
        endpoint(base_api.SHOW_V3, base_api.show_place, people.VersionForm()),
    )


def _tokens(calls: TokenCalls, services: tuple[Service, ...]) -> tuple[Endpoint, ...]:
    shown = worded(calls.show, tokens.subject_words)
    return (
        endpoint(
            token_api.ISSUE_TOKEN,
            worded(calls.issue, tokens.issue_words),
            tokens.NewTokenForm(services),
        ),
        endpoint(token_api.SHOW_TOKEN, shown, tokens.SubjectForm(services)),
        endpoint(token_api.CHECK_TOKEN, shown, tokens.SubjectForm(services)),
        endpoint(
            token_api.REVOKE_TOKEN,
            worded(calls.revoke, tokens.subject_words),
            tokens.RevokeForm(),
        ),
    )


def _people(calls: PeopleCalls) -> tuple[Endpoint, ...]:
    return (
        endpoint(people_api.LIST_PROJECTS, calls.projects, people.ProjectsForm()),
        endpoint(people_api.LIST_MY_PROJECTS, calls.my_projects, people.MyProjectsForm()),
        endpoint(people_api.LIST_USER_PROJECTS, calls.user_projects, people.UserProjectsForm()),
        endpoint(people_api.SHOW_PROJECT, calls.project, people.ProjectForm()),
        endpoint(people_api.LIST_USERS, calls.users, people.UsersForm()),
        endpoint(people_api.SHOW_USER, calls.user, people.UserForm()),
        endpoint(people_api.LIST_ROLES, calls.roles, people.RolesForm()),
    )
