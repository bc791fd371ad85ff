"""Operations behind HTTP: a WSGI application, and the servers that run it."""

from computekit.http.application import Application, Observer, Seen, Settings
from computekit.http.authentication import (
    Authenticator,
    Everybody,
    NoAuth2,
    StaticToken,
    TokenAuth,
)
from computekit.http.basic import BasicAuth, read_htpasswd
from computekit.http.cors import CrossOrigin
from computekit.http.dialect import Dialect, PlacementDialect, PlainDialect
from computekit.http.endpoint import Endpoint, Form, Prepared, endpoint
from computekit.http.keystone import Keystone, read_keystone_options
from computekit.http.mounts import Mounts
from computekit.http.problem import Problem, Refused, problem_of
from computekit.http.server import Server, listening_socket
from computekit.http.wire import Answer, FilePart, Headers, HttpRequest, Readable
from computekit.http.workers import Workers, free_port

__all__ = [
    "Answer",
    "Application",
    "Authenticator",
    "BasicAuth",
    "CrossOrigin",
    "Dialect",
    "Endpoint",
    "Everybody",
    "FilePart",
    "Form",
    "Headers",
    "HttpRequest",
    "Keystone",
    "Mounts",
    "NoAuth2",
    "Observer",
    "PlacementDialect",
    "PlainDialect",
    "Prepared",
    "Problem",
    "Readable",
    "Refused",
    "Seen",
    "Server",
    "Settings",
    "StaticToken",
    "TokenAuth",
    "Workers",
    "endpoint",
    "free_port",
    "listening_socket",
    "problem_of",
    "read_htpasswd",
    "read_keystone_options",
]
