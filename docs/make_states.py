"""Writes docs/states.md from the tables of jobmon.states: `python docs/make_states.py`. A test holds the two equal."""

import re
from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from inspect import getdoc, getsource
from pathlib import Path
from typing import Any

from jobmon.states import evidence, instances, jobs, names, reasons, runs
from jobmon.states.machine import ILLEGAL, LATE, STAY, TO, Choice

HERE = Path(__file__).resolve().parent
INTRODUCTION = """# The state machines

<!-- Made by docs/make_states.py from jobmon/states; do not edit. -->

Three machines, each a finite set of states and one total table: every pair of state and event has an entry. An entry is
a move; or *late* (a repeated or overtaken message: nothing changes, the history notes it); or *impossible*
(`InvalidTransition`, which carries the record's story). The code is pure: `apply(record, event)` returns the changed
record and what follows from it, and does nothing itself.
"""


def comments(enumeration: type) -> dict[str, str]:
    """The `#:` comment of each member of an enumeration."""
    return dict(re.findall(r"^    (\w+) = \"\w+\"  #: (.+)$", getsource(enumeration), re.MULTILINE))


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """A Markdown table."""
    return [f"| {' | '.join(line)} |" for line in [head, ["---"] * len(head), *rows]]


def becomes(move: Any) -> str | None:
    """The cell for a move; None where nothing moves."""
    if isinstance(move, TO):
        return str(move.target)
    if isinstance(move, Choice):
        return f"{', '.join(move.targets)} ({move.name})"
    return "stays" if move is STAY else None


def machine(
    title: str, states: type[StrEnum], final: frozenset[Any], moves: Mapping[Any, Any], events: Sequence[type]
) -> list[str]:
    """The section of one machine."""
    meaning = comments(states)
    words = [[f"`{s}`", "final" if s in final else "", meaning[s.name]] for s in states]
    lines = [f"## {title}", "", *table(["state", "", "meaning"], words), ""]
    happened = [[f"`{event.__name__}`", (getdoc(event) or "").splitlines()[0]] for event in events]
    lines += [*table(["event", "what happened"], happened), ""]
    legal = [
        [f"`{state}`", f"`{event.__name__}`", cell]
        for state in states
        for event in events
        if (cell := becomes(moves[state, event])) is not None
    ]
    lines += [*table(["state", "event", "becomes"], legal), ""]
    rest = []
    for state in states:
        late = [event.__name__ for event in events if moves[state, event] is LATE]
        illegal = [event.__name__ for event in events if moves[state, event] is ILLEGAL]
        everything = "every event"
        rest.append(
            [
                f"`{state}`",
                everything if len(late) == len(events) else ", ".join(late) or "none",
                everything if len(illegal) == len(events) else ", ".join(illegal) or "none",
            ]
        )
    return [*lines, *table(["state", "late", "impossible"], rest), ""]


def reason_table() -> list[str]:
    """Reasons, the final state of each, and who pays."""
    meaning = comments(reasons.Reason)
    rows = [
        [f"`{r}`", meaning[r.name], str(reasons.FINAL_STATE[r]), "yes" if r in reasons.CHARGED else "no"]
        for r in reasons.Reason
    ]
    return [
        "## Why an attempt ended",
        "",
        "The one table from reasons to final states. An attempt without a reason succeeded: `DONE`.",
        "",
        *table(["reason", "meaning", "final state", "uses up an attempt"], rows),
        "",
        f"A job is given up after {jobs.FREE_ATTEMPTS} attempts that ended through no fault of its own, and after "
        f"{jobs.FREE_UNBEGUN} that were lost before they began: a task that keeps killing its node must not go round "
        "the cluster. What is given back unsent, as while a queue is full or a scheduler away, is never counted.",
        "",
    ]


DIMENSIONS: list[tuple[str, list[str]]] = [
    ("the platform says", [str(s) for s in evidence.Sighting]),
    ("reporter", ["worker", "platform"]),
    ("state", ["SUBMITTED_TO_BATCH_EXECUTOR", "RUNNING", "CANCELLING"]),
    ("payload", ["command", "call"]),
    ("for the grace", ["no", "yes"]),
    ("worker", ["heard", "silent"]),
]


def decided(says: str, reporter: str, state: str, payload: str, held: str, worker: str) -> str:
    """What the evidence amounts to, for a native success (status 0, no reason)."""
    facts = evidence.Facts(
        state=names.InstanceState(state),
        reporting=evidence.Reporting(reporter),
        is_call=payload == "call",
        silent=worker == "silent",
        gone_for_s=1e9 if held == "yes" else 0.0,
    )
    observed = evidence.Observed(evidence.Sighting(says), exit_status=0 if says == "exited" else None)
    event = evidence.decide(facts, observed, evidence.Graces())
    if event is None:
        return "nothing yet"
    if isinstance(event, instances.Ended):
        return f"Ended: {event.reason or 'success'}"
    return type(event).__name__


def collapsed(
    decide: Callable[..., str], dimensions: Sequence[Sequence[str]], chosen: tuple[str, ...] = ()
) -> list[list[str]]:
    """A row per distinct outcome; `any` where a dimension does not matter."""
    if not dimensions:
        return [[decide(*chosen)]]
    first, *others = dimensions
    branches = [collapsed(decide, others, (*chosen, value)) for value in first]
    if all(branch == branches[0] for branch in branches):
        return [["any", *row] for row in branches[0]]
    return [[value, *row] for value, branch in zip(first, branches, strict=True) for row in branch]


def evidence_table() -> list[str]:
    """What each observation of a platform amounts to."""
    graces = evidence.Graces()
    rows = collapsed(decided, [values for _, values in DIMENSIONS])
    return [
        "## Evidence",
        "",
        "A worker's report decides at once. This table is for what a platform says (worker report > platform).",
        f"*For the grace*: it has said so, without a break, for {graces.report_grace_s:g} s (exited;",
        f"{graces.agent_grace_s:g} s where an agent reports, which else counts as a worker) or",
        f"{graces.absent_grace_s:g} s (absent). *Exited* is shown with native success; with a reason, `Ended` carries",
        "that reason, but where a worker reports and has not won the start nothing of the task has run, and a fault of",
        "its own becomes `LOST`, which uses up no attempt (`UNKNOWN`, where the platform could not even run the",
        "worker: free too, but only as often as node failures). So do `SIGNALLED` and `EXIT_NONZERO` where a worker",
        "reports: it tells whatever its command does, or leaves that in a file, so an end without a word is the",
        "worker's own, or made up by a platform that could not start it a second time. Where a signal from",
        "outside has ended the command, the worker's report takes over the platform's reason if that tells more,",
        "such as `TIMEOUT`; else it becomes `LOST`.",
        "",
        *table([*(name for name, _ in DIMENSIONS), "amounts to"], rows),
    ]


def page() -> str:
    """The whole page."""
    sections = [
        INTRODUCTION,
        *machine("Job", names.JobState, names.FINAL_JOB_STATES, jobs.TABLE, jobs.JobEvent.__args__),
        *machine(
            "JobInstance",
            names.InstanceState,
            names.FINAL_INSTANCE_STATES,
            instances.TABLE,
            instances.InstanceEvent.__args__,
        ),
        *machine("WorkflowRun", names.RunState, names.FINAL_RUN_STATES, runs.TABLE, runs.RunEvent.__args__),
        *reason_table(),
        *evidence_table(),
    ]
    return "\n".join(sections) + "\n"


if __name__ == "__main__":
    (HERE / "states.md").write_text(page(), encoding="utf-8")
