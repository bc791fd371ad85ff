"""A decision as a file: the host, what to claim there, and why; written, never read."""

import re

import attrs

from computekit.ids import HostName
from computekit.model import FrozenMap
from computekit.scheduler.changes import Adjustment
from computekit.scheduler.decision import Decision, Placed
from computekit.scheduler.explanation import Explanation
from computekit.scheduler.remedies import Remedies
from computekit.scheduler.reports import HostReport
from computekit.scheduler.why_not import why_not

__all__ = [
    "AlternateForm",
    "AnswerForm",
    "ChangeForm",
    "ExplanationForm",
    "HostReportForm",
    "RankedForm",
    "RemedyForm",
    "RuleForm",
    "VerdictForm",
    "WhyNotForm",
    "answer_form",
    "why_not_form",
]

Plain = str | int | float | bool | tuple[str, ...] | None


@attrs.frozen
class ChangeForm:
    """One thing to change, of the request or of the fleet.

    Attributes:
        kind: `ask_amount`, `ask_zone`, `drop`, `free_up`, `lower_figure`, `enable_host` ...
        text: what to do.
        of: what it is about, by name: `resource_class`, `amount`, `host`; of a `drop` the demand
            that is given up: its kind is `what`.
    """

    kind: str
    text: str
    of: FrozenMap[str, Plain]


@attrs.frozen
class RemedyForm:
    """Changes after which a host takes the request.

    Attributes:
        host: which one.
        text: what to do, and what comes of it.
        changes: all of them are needed.
    """

    host: str
    text: str
    changes: tuple[ChangeForm, ...]


@attrs.frozen
class VerdictForm:
    """One rule against one host.

    Attributes:
        rule: what is judged.
        asked: what the request asks for.
        there: what the host has.
        passed: whether that is enough.
        changes: the smallest changes that each make the host pass this rule.
    """

    rule: str
    asked: str
    there: str
    passed: bool
    changes: tuple[ChangeForm, ...]


@attrs.frozen
class HostReportForm:
    """One host against rules.

    Attributes:
        host: its name.
        verdicts: in the order of the rules.
    """

    host: str
    verdicts: tuple[VerdictForm, ...]


@attrs.frozen
class RuleForm:
    """One rule against the fleet.

    Attributes:
        rule: what is judged.
        asked: what the request asks for.
        hosts_left: how many hosts pass it and every rule before it.
        failed: how many hosts break it.
        failed_only_this: how many hosts break nothing else.
    """

    rule: str
    asked: str
    hosts_left: int
    failed: int
    failed_only_this: int


@attrs.frozen
class RankedForm:
    """A host that fits.

    Attributes:
        host: its name.
        score: the sum; higher is better.
        parts: what each weigher gave.
    """

    host: str
    score: float
    parts: FrozenMap[str, float]


@attrs.frozen
class ExplanationForm:
    """Why a request went where it went, or nowhere.

    Attributes:
        hosts: how many there are.
        rules: the funnel, in the order of judging.
        ranking: the best hosts that fit, best first.
        near_misses: the hosts that come closest, with the rules that they break.
        remedies: changes after which the request fits, each proved by deciding again; fewest first.
        complete: without remedies, whether it is certain that nothing on the list helps.
    """

    hosts: int
    rules: tuple[RuleForm, ...]
    ranking: tuple[RankedForm, ...]
    near_misses: tuple[HostReportForm, ...]
    remedies: tuple[RemedyForm, ...]
    complete: bool


@attrs.frozen
class WhyNotForm:
    """Why a request does not go to one host.

    Attributes:
        host: which one.
        fits: whether it fits after all.
        summary: the answer in one line.
        verdicts: every rule against it.
        remedy: the fewest, then smallest changes after which it fits; null if there are none.
        complete: without a remedy, whether it is certain that nothing on the list helps.
    """

    host: str
    fits: bool
    summary: str
    verdicts: tuple[VerdictForm, ...]
    remedy: RemedyForm | None
    complete: bool


@attrs.frozen
class AlternateForm:
    """A further host that takes the request.

    Attributes:
        host: its name.
        score: higher is better.
    """

    host: str
    score: float


@attrs.frozen
class AnswerForm:
    """What was decided.

    Attributes:
        host: that takes the request; null if none does.
        summary: the outcome in one line.
        score: of the host, by the policy.
        allocation: amounts by class, by provider: what to claim.
        mappings: the providers of each group, by suffix.
        alternates: the next best hosts.
        explanation: only if it was asked for.
        why_not: only if a host was named.
    """

    host: str | None
    summary: str
    score: float | None = None
    allocation: FrozenMap[str, FrozenMap[str, int]] = FrozenMap()
    mappings: FrozenMap[str, tuple[str, ...]] = FrozenMap()
    alternates: tuple[AlternateForm, ...] = ()
    explanation: ExplanationForm | None = None
    why_not: WhyNotForm | None = None


def answer_form(
    decision: Decision, explanation: Explanation, *, explain: bool, host: HostName | None
) -> AnswerForm:
    """Return a decision as a form.

    Args:
        decision: what was decided.
        explanation: of it.
        explain: whether the explanation is part of the answer.
        host: about which the answer says why not; None: about none.

    Raises:
        NotFound: there is no such host.
    """
    told = _explanation(explanation) if explain else None
    about = None if host is None else why_not_form(explanation, host)
    if not isinstance(decision, Placed):
        return AnswerForm(None, explanation.summary, explanation=told, why_not=about)
    candidate = decision.candidate
    return AnswerForm(
        candidate.host,
        explanation.summary,
        candidate.score,
        FrozenMap(
            {
                str(provider): FrozenMap({str(name): amount for name, amount in amounts.items()})
                for provider, amounts in candidate.allocation.items()
            }
        ),
        FrozenMap({suffix: tuple(found) for suffix, found in candidate.mappings.items()}),
        tuple(AlternateForm(one.host, one.score) for one in decision.alternates()),
        told,
        about,
    )


def why_not_form(explanation: Explanation, host: HostName) -> WhyNotForm:
    """Return why a request does not go to a host.

    Raises:
        NotFound: there is no such host.
    """
    found = why_not(explanation, host)
    report = found.report
    assert report is not None
    remedies = _remedies(found.remedies)
    return WhyNotForm(
        host,
        found.fits,
        found.summary,
        _report(report, every=True).verdicts,
        remedies[0] if remedies else None,
        found.remedies.complete,
    )


def _explanation(explanation: Explanation) -> ExplanationForm:
    return ExplanationForm(
        len(explanation.hosts),
        tuple(
            RuleForm(rule.rule, rule.asked, rule.left, rule.failed, rule.alone)
            for rule in explanation.rules
        ),
        tuple(
            RankedForm(one.host, one.score, FrozenMap(dict(one.parts)))
            for one in explanation.ranking
        ),
        tuple(_report(report, every=False) for report in explanation.near_misses),
        _remedies(explanation.remedies_found),
        explanation.remedies_found.complete,
    )


def _report(report: HostReport, *, every: bool) -> HostReportForm:
    verdicts = report.verdicts if every else report.failing
    return HostReportForm(
        report.host,
        tuple(
            VerdictForm(v.rule, v.asked, v.there, v.passed, tuple(map(_change, v.changes)))
            for v in verdicts
        ),
    )


def _remedies(remedies: Remedies) -> tuple[RemedyForm, ...]:
    return tuple(
        RemedyForm(remedy.host, remedy.text, tuple(map(_change, remedy.changes)))
        for remedy in remedies.found
    )


def _change(change: Adjustment) -> ChangeForm:
    return ChangeForm(_kind(change), change.text, FrozenMap(_fields(change)))


def _kind(value: object) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", type(value).__name__).lower()


def _fields(value: object) -> dict[str, Plain]:
    """Return the fields of a change, those of the demand that it drops among them."""
    found: dict[str, Plain] = {}
    kind = type(value)
    if not attrs.has(kind):
        return found
    for field in attrs.fields(kind):
        if not field.init:
            continue
        inner: object = getattr(value, field.name)
        if attrs.has(type(inner)):
            found[field.name] = _kind(inner)
            found.update(_fields(inner))
        else:
            found[field.name] = _plain(inner)
    return found


def _plain(value: object) -> Plain:
    if value is None or isinstance(value, str | int | float | bool):
        return value
    if isinstance(value, frozenset | set):
        return tuple(sorted(map(str, value)))
    if isinstance(value, tuple):
        return tuple(map(str, value))
    return str(value)
