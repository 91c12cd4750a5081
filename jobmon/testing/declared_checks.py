"""Area core: what the class declares, and a task asks for, reaches the platform."""

from collections.abc import Mapping
from typing import Any

import attrs

from jobmon.plugins import Accepted, Exited, Pending, Running, Submitted, Support
from jobmon.testing.sentences import Area, does_not_apply, holds, not_exercised
from jobmon.testing.world import World

#: Two amounts of each of the core's resources.
_AMOUNTS = {"cores": (2, 3), "memory": ("2G", "3G"), "runtime": ("2h", "3h"), "gpus": (1, 2)}
#: Parts of what was asked for: with the one a job goes on, with the other it is stopped.
_LESS, _MORE = 0.9, 1.5
_MEMORY = 1 << 30


class DeclaredChecks:
    """Resources."""

    @holds(Area.CORE, "Each of the type's own resources reaches the platform.")
    def test_each_of_the_types_own_resources_reaches_the_platform(self, world: World) -> None:
        cls, conformance = world.conformance.executor_type, world.conformance
        names = [field.name for field in attrs.fields(cls.resources_type) if field.init]
        if not names:
            does_not_apply("it has no resources of its own")
        own = {**conformance.resources.get(cls.name, {}), **conformance.own_resources}
        every = _given(world, {**conformance.resources, cls.name: own})
        dropped = []
        for name in own:
            others = {key: value for key, value in own.items() if key != name}
            if _given(world, {**conformance.resources, cls.name: others}) == every:
                dropped.append(name)
        assert not dropped, (
            f"with and without {', '.join(f'{name} = {own[name]!r}' for name in dropped)} the platform is given the "
            f"same: pass on `resources.own`. (If {'this is' if len(dropped) == 1 else 'these are'} the default, write "
            f"another value into own_resources of {type(conformance).__name__}.)"
        )
        if missing := [name for name in names if name not in own]:
            not_exercised(f"own_resources of {type(conformance).__name__} has no value for {', '.join(missing)}")

    @holds(Area.CORE, "What the class declares BOOKED or ENFORCED reaches the platform.")
    def test_what_is_booked_or_enforced_reaches_the_platform(self, world: World) -> None:
        cls, conformance = world.conformance.executor_type, world.conformance
        declared = [key for key, how in cls.core_resources.items() if how in (Support.BOOKED, Support.ENFORCED)]
        if not declared:
            does_not_apply("it declares no resource BOOKED or ENFORCED")
        dropped = []
        for key in declared:
            one, other = (_given(world, {**conformance.resources, key: amount}) for amount in _AMOUNTS[key])
            if one == other:
                dropped.append(f"{key} = {_AMOUNTS[key][0]} and {_AMOUNTS[key][1]}")
        assert not dropped, (
            f"with {'; with '.join(dropped)} the platform is given the same: pass on what `resources` has, or leave "
            "it out of core_resources, so that users hear that it is ignored"
        )

    @holds(Area.ROBUSTNESS, "A task that takes more than it asked for of an ENFORCED resource is stopped, no other.")
    def test_an_enforced_resource_is_enforced(self, world: World) -> None:
        cls, platform = world.conformance.executor_type, world.platform
        declared = [key for key, how in cls.core_resources.items() if how is Support.ENFORCED]
        if not declared:
            does_not_apply("it declares no resource ENFORCED")
        for key in declared:
            if key not in ("runtime", "memory"):
                not_exercised(f"the kit cannot have a job take more {key} than it asked for")
            amount = platform.runtime_s if key == "runtime" else _MEMORY
            one = _submitted(world, {**world.conformance.resources, key: amount})
            platform.take(one.executor_job_id, key, amount * _LESS)
            seen = world.look(one)
            assert isinstance(seen, Pending | Running), (
                f"with {_LESS:.0%} of the {key} that it asked for it is {seen!r}"
            )
            platform.take(one.executor_job_id, key, amount * _MORE)
            world.until(lambda one=one: not isinstance(world.look(one), Pending | Running), _enforced(key))  # type: ignore[misc]
            seen = world.look(one)
            assert not (isinstance(seen, Exited) and seen.reason is None), f"with more {key} than asked it is {seen!r}"


def _enforced(key: str) -> str:
    return (
        f"a job that takes {_MORE:.0%} of the {key} that it asked for is stopped. The class declares {key} ENFORCED: "
        "give the platform the amount, in the unit that it counts in, or declare it BOOKED"
    )


def _submitted(world: World, resources: Mapping[str, Any]) -> Submitted:
    """A live attempt that asks for this."""
    if world.call("running_limit", world.executor.running_limit) == 1:
        does_not_apply("it has one attempt at a time")
    request = world.requests(resources=resources)[0]
    unstarted = world.made()
    problems = world.call("check_resources", lambda: unstarted.check_resources(resources=request.resources))
    if problems:
        not_exercised(f"the settings of {type(world.conformance).__name__} refuse {resources}: {problems[0]}")
    outcome = world.submit([request]).of(request.token)
    if not isinstance(outcome, Accepted):
        not_exercised(f"{resources} is not accepted: {outcome!r}")
    return world.submitted(request, outcome)


def _given(world: World, resources: Mapping[str, Any]) -> str:
    """What the platform is given with an attempt that asks for this, without its token."""
    one = _submitted(world, resources)
    return world.platform.given(one.executor_job_id).replace(one.token, "TOKEN")
