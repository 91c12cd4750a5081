"""What an executor may answer: the rules that its host and the conformance kit share. Pure.

Each check gives what of an answer can be used, made of the contract's very types, and what is wrong with it. Where the
verdict itself is wrong (which record, id, status, reason, instant) nothing is guessed: an outcome becomes Uncertain, an
observation Unknown, a finding CannotTell. What only accompanies it (texts, tails, usage) is cut or left out. No check
raises, whatever it is given: a plugin may answer anything.
"""

from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from itertools import islice
from types import MappingProxyType
from typing import Any, TypeVar

import attrs

from jobmon.plugins.answer_parts import (
    MOST_DETAIL,
    MOST_HOST,
    MOST_SIGNAL,
    MOST_TAIL,
    MOST_WHY,
    Fault,
    Span,
    in_utc,
    retry_after_s,
    text,
    text_of,
    written,
    wrong_id,
    wrong_instant,
    wrong_status,
    wrong_used,
)
from jobmon.plugins.records import (
    Absent,
    Accepted,
    CannotTell,
    Deferred,
    Exited,
    Finding,
    Found,
    Observation,
    Outcome,
    Pending,
    Rejected,
    Running,
    SchedulerUnavailable,
    Uncertain,
    Unknown,
)
from jobmon.plugins.wording import said
from jobmon.states.reasons import Reason
from jobmon.wire.results import result_problem

T = TypeVar("T")
#: Of an answer that is no plain dict: whatever it is, it comes to an end.
_MOST_ANSWERS = 1_000_000
_MOST_NAMED = 20
#: Of an end: its texts, the most characters of each, and whether its end is what counts.
_TEXTS = (("detail", MOST_DETAIL, False), ("stdout_tail", MOST_TAIL, True), ("stderr_tail", MOST_TAIL, True))


class _Refused(Exception):
    """The verdict is wrong."""

    def __init__(self, words: str, part: str = "") -> None:
        super().__init__(words)
        self.fault = Fault(words, part)


def _instead(error: BaseException, refused: Callable[[str], T]) -> tuple[T, list[Fault]]:
    """What is taken instead of an answer that could not be checked: wrong, no record made as records are, or worse."""
    fault = error.fault if type(error) is _Refused else Fault(f"it cannot be looked at ({said(error)})")
    return refused(f"its plugin's answer is wrong: {fault.words}"), [fault]


# Outcomes


def outcome(answer: object) -> tuple[Outcome, list[Fault]]:
    """What comes of a submission, as `submit` tells it."""
    try:
        return _outcome(answer)
    except BaseException as error:  # noqa: BLE001 - see _instead
        return _instead(error, Uncertain)


def _outcome(answer: Any) -> tuple[Outcome, list[Fault]]:
    kind = type(answer)
    if kind is Accepted:
        if wrong := wrong_id(answer.executor_job_id):
            raise _Refused(wrong, "executor_job_id")
        return answer, []
    if kind is Rejected or kind is Uncertain:
        return _with_why(answer, needed=True)
    if kind is Deferred:
        deferred, faults = _with_why(answer, needed=True)
        pause_s, fault = retry_after_s(answer.retry_after_s)
        return (
            (deferred, faults) if fault is None else (attrs.evolve(deferred, retry_after_s=pause_s), [*faults, fault])
        )
    raise _Refused(f"it is {written(answer)}, no Accepted, Rejected, Deferred or Uncertain")


def _with_why(answer: Any, *, needed: bool) -> tuple[Any, list[Fault]]:
    why, fault = text("why", answer.why, MOST_WHY, needed=needed)
    return (answer, []) if fault is None else (attrs.evolve(answer, why=why), [fault])


def pair(answer: Any) -> tuple[object, object]:
    """The token and the outcome that `submit` yields.

    Raises:
        ValueError: it is no pair, and why.
    """
    if type(answer) is tuple and len(answer) == 2:
        return answer
    if not issubclass(type(answer), tuple) or tuple.__len__(answer) != 2:
        raise ValueError(f"it yields {written(answer)}, no tuple (token, outcome)")
    token, came = tuple.__iter__(answer)
    return token, came


# Findings


def finding(answer: object, during: Span) -> tuple[Finding, list[Fault]]:
    """Whether the platform has an attempt, as `find` tells it in a call that lasted from when to when."""
    try:
        return _finding(answer, during)
    except BaseException as error:  # noqa: BLE001 - see _instead
        return _instead(error, CannotTell)


def _finding(answer: Any, during: Span) -> tuple[Finding, list[Fault]]:
    kind = type(answer)
    if kind is Found:
        if wrong := wrong_id(answer.executor_job_id):
            raise _Refused(wrong, "executor_job_id")
        return answer, []
    if kind is Absent:
        return _absent(answer, during)
    if kind is CannotTell:
        return _with_why(answer, needed=True)
    raise _Refused(f"it is {written(answer)}, no Found, Absent or CannotTell")


def _absent(answer: Absent, during: Span) -> tuple[Absent, list[Fault]]:
    if wrong := wrong_instant(answer.as_of, during):
        raise _Refused(wrong, "as_of")
    absent, faults = _with_why(answer, needed=False)
    as_of = in_utc(answer.as_of)
    return (absent if as_of is answer.as_of else attrs.evolve(absent, as_of=as_of)), faults


# Observations


def observation(answer: object, during: Span) -> tuple[Observation, list[Fault]]:
    """What the platform says of an attempt, as `observe` tells it in a call that lasted from when to when."""
    try:
        return _observation(answer, during)
    except BaseException as error:  # noqa: BLE001 - see _instead
        return _instead(error, Unknown)


def _observation(answer: Any, during: Span) -> tuple[Observation, list[Fault]]:
    kind = type(answer)
    if kind is Running:
        return answer, []
    if kind is Exited:
        return _exited(answer)
    if kind is Pending:
        return _with_why(answer, needed=False)
    if kind is Absent:
        return _absent(answer, during)
    if kind is Unknown:
        return _with_why(answer, needed=True)
    raise _Refused(f"it is {written(answer)}, no Pending, Running, Exited, Absent or Unknown")


def _exited(end: Exited) -> tuple[Exited, list[Fault]]:
    _check_verdict(end)
    changes: dict[str, Any] = {}
    faults: list[Fault] = []
    if type(end.usage) not in (dict, MappingProxyType) or end.usage:
        usage, wrong = used(end.usage)
        if wrong or type(end.usage) is not dict:
            changes["usage"] = usage
            faults += wrong
    if end.detail is not None or end.stdout_tail is not None or end.stderr_tail is not None:
        for part, most, tail in _TEXTS:
            value = getattr(end, part)
            if value is not None:
                kept, fault = text(part, value, most, end=tail)
                if fault is not None:
                    changes[part] = kept
                    faults.append(fault)
    if end.host is not None and (wrong_host := _wrong_host("host", end.host)):
        changes["host"] = None
        faults.append(Fault(f"{wrong_host}; it is left out", "host"))
    if end.signal is not None and not (type(end.signal) is int and 1 <= end.signal <= MOST_SIGNAL):
        changes["signal"] = None
        faults.append(Fault(f"signal is {written(end.signal)}, not from 1 to {MOST_SIGNAL}; it is left out", "signal"))
    if end.reason is not None and end.result is not None:
        changes["result"] = None
        faults.append(Fault(f"result of an end for reason {end.reason.value}; it is left out", "result"))
    return (attrs.evolve(end, **changes) if changes else end), faults


def _check_verdict(end: Exited) -> None:
    """Refuse an end of which it is not clear how it went."""
    if end.reason is not None and type(end.reason) is not Reason:
        raise _Refused(f"reason is {written(end.reason)}, no Reason", "reason")
    if wrong := wrong_status(end.status):
        raise _Refused(wrong, "status")
    if end.reason is not None:
        if end.status == 0:
            raise _Refused(
                f"status 0 and reason {end.reason.value} at once: the one is success, the other is not", "status"
            )
        return
    if end.status not in (None, 0):
        raise _Refused(f"it tells success (no reason) with status {end.status}", "reason")
    if end.signal is not None:
        raise _Refused(f"it tells success (no reason) with signal {written(end.signal)}", "reason")
    if end.result is not None:
        problem = result_problem(end.result) if type(end.result) is str else f"is {written(end.result)}, no JSON text"
        if problem is not None:
            raise _Refused(f"result {problem}", "result")


def used(usage: object) -> tuple[dict[str, float], list[Fault]]:
    """What an attempt used, by the known keys, and what is wrong with what was told of it."""
    if not isinstance(usage, Mapping):
        return {}, [Fault(f"usage is {written(usage)}, no mapping; it is left out", "usage")]
    kept: dict[str, float] = {}
    faults = []
    for key, value in islice(usage.items(), _MOST_NAMED):
        if wrong := wrong_used(key, value):
            faults.append(Fault(f"{wrong}; it is left out", "usage"))
        else:
            kept[key] = float(value)
    return kept, faults


# Answers about several attempts


def by_token(
    answer: object,
    asked: Collection[str],
    check: Callable[[object], tuple[T, list[Fault]]],
    missing: Callable[[str], T],
) -> tuple[dict[str, T], list[Fault]]:
    """The answer for each of the tokens that were asked for, and what is wrong with it. A wrong one fails no other.

    Raises:
        SchedulerUnavailable: reading the answer raises it.
    """
    told, faults = told_by_token(answer)
    found: dict[str, T] = {}
    left_out = []
    for token in asked:
        if token in told:
            found[token], wrong = check(told[token])
            if wrong:
                faults += [attrs.evolve(fault, token=token) for fault in wrong]
        else:
            left_out.append(token)
            found[token] = missing("its plugin's answer leaves it out")
    faults += [Fault("the answer leaves it out", token=token) for token in left_out]
    if len(told) > len(found) - len(left_out):
        others = islice((token for token in told if token not in found), _MOST_NAMED)
        faults += [Fault(f"it tells of {written(token)}, of which it was not asked") for token in others]
    return found, faults


def told_by_token(answer: Any) -> tuple[dict[str, object], list[Fault]]:
    """What an answer tells, by token, as far as it can be read; each is still to be checked.

    Raises:
        SchedulerUnavailable: reading the answer raises it.
    """
    told: dict[str, object] = {}
    faults = []
    try:
        if not isinstance(answer, Mapping):
            return {}, [Fault(f"it answers {written(answer)}, no mapping")]
        for token, value in islice(answer.items(), _MOST_ANSWERS):
            if type(token) is not str:
                faults.append(Fault(f"it tells of {written(token)}, which is no token"))
            elif token in told:
                faults.append(Fault("it is answered twice; the first counts", token=token))
            else:
                told[token] = value
    except SchedulerUnavailable:
        raise
    except BaseException as error:  # noqa: BLE001 - what it gave before counts
        faults.append(Fault(f"reading the answer raised {said(error)}"))
    return told, faults[-_MOST_NAMED:]


# Other answers


def host(answer: object) -> tuple[str | None, list[Fault]]:
    """A host of the cluster, as `cluster_host` tells it."""
    if answer is None:
        return None, []
    wrong = _wrong_host("it", answer)
    return (None, [Fault(f"{wrong}; it is left out")]) if wrong else (answer, [])  # type: ignore[return-value]


def _wrong_host(name: str, value: object) -> str:
    if type(value) is str and 0 < len(value) <= MOST_HOST and value.isprintable() and " " not in value:
        return ""
    return f"{name} is {written(value)}, no name of a host (text of at most {MOST_HOST} characters, without space)"


def sentences(answer: object) -> tuple[list[str] | None, list[Fault]]:
    """What is wrong with resources, as `check_resources` tells it; None: it cannot be told."""
    if type(answer) is not list:
        return None, [Fault(f"it answers {written(answer)}, no list of sentences")]
    checked = [text("a sentence", one, MOST_WHY, needed=True) for one in answer[:_MOST_ANSWERS]]
    return [words for words, _ in checked], [fault for _, fault in checked if fault is not None]


def refusal(error: BaseException) -> tuple[str, int, list[Fault]]:
    """Why an ArrayRefused was raised, and the largest array that is taken instead."""
    limit: object = None
    with suppress(Exception):
        limit = getattr(error, "limit", None)
    why = text_of(error) or "no words"
    if type(limit) is int and limit >= 1:
        return why, limit, []
    return why, 1, [Fault(f"ArrayRefused.limit is {written(limit)}, no whole number of 1 or more; 1 is taken", "limit")]
