"""Operations behind HTTP: a WSGI application, and the servers that run it."""

from computekit.http.application import Application, Observer, Seen, Settings
from computekit.http.authentication import Authentication, NoAuth2, StaticToken
from computekit.http.cors import CrossOrigin
from computekit.http.endpoint import Endpoint, Form, Prepared, endpoint
from computekit.http.problem import Problem, Refused, problem_of
from computekit.http.server import Server, listening_socket
from computekit.http.wire import Answer, Headers, Request

__all__ = [
    "Answer",
    "Application",
    "Authentication",
    "CrossOrigin",
    "Endpoint",
    "Form",
    "Headers",
    "NoAuth2",
    "Observer",
    "Prepared",
    "Problem",
    "Refused",
    "Request",
    "Seen",
    "Server",
    "Settings",
    "StaticToken",
    "endpoint",
    "listening_socket",
    "problem_of",
]
