"""Fleets and requests as files, decisions as files, and policies by name: all without a service."""

from computekit.scheduler.files.answer_form import AnswerForm, answer_form
from computekit.scheduler.files.fleet_form import FleetForm, read_fleet
from computekit.scheduler.files.named_policies import NAMED_POLICIES, policy_named
from computekit.scheduler.files.request_form import RequestForm, read_request

__all__ = [
    "NAMED_POLICIES",
    "AnswerForm",
    "FleetForm",
    "RequestForm",
    "answer_form",
    "policy_named",
    "read_fleet",
    "read_request",
]
