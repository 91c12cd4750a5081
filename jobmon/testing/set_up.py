"""Whether a test class says what the kit needs: looked at first, so that a slip is one sentence and one failure."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from jobmon.plugins import Executor
from jobmon.plugins.resources import parse_resources
from jobmon.plugins.wording import said, shown
from jobmon.testing.platform import Platform
from jobmon.testing.sentences import Area, holds

if TYPE_CHECKING:
    from jobmon.testing.conformance import ExecutorConformance


class SetUpChecks:
    """The one check that fails where the test class itself is wrong; no other is exercised then."""

    @holds(Area.CORE, "The test class names the type, and its settings, resources and platform fit the type.")
    def test_the_test_class_is_set_up(self) -> None:
        import pytest

        if wrong := wrong_set_up(self):
            pytest.fail(wrong, pytrace=False)


def wrong_set_up(tests: Any) -> str:
    """What is wrong with the attributes of an ExecutorConformance, in a sentence; empty: nothing."""
    cls: object = getattr(tests, "executor_type", None)
    if not (isinstance(cls, type) and issubclass(cls, Executor)):
        problems = [f"executor_type is {shown(cls)}, not a class derived from Executor"]
    else:
        problems = [*_wrong_settings(tests, cls), *_wrong_resources(tests, cls), *_wrong_platform(tests)]
    return f"{type(tests).__name__}: {'; '.join(problems)}" if problems else ""


def _wrong_settings(tests: "ExecutorConformance", cls: type[Executor]) -> Iterator[str]:
    from jobmon.testing.conformance import ExecutorConformance

    if type(tests).make is not ExecutorConformance.make or not isinstance(cls.settings_type, type):
        return
    kind = cls.settings_type.__name__
    if tests.settings is None:
        try:
            cls.settings_type()
        except Exception as error:  # noqa: BLE001 - of the plugin's class
            yield f"settings is not given, and {kind}() fails ({said(error)}): write settings = {kind}(...)"
    elif not isinstance(tests.settings, cls.settings_type):
        yield (
            f"settings is {shown(tests.settings)}, not an instance of the settings_type of {cls.__name__}: "
            f"write settings = {kind}(...)"
        )


def _wrong_resources(tests: "ExecutorConformance", cls: type[Executor]) -> Iterator[str]:
    given: object = tests.resources
    like = f'{{"cores": 1, "{cls.name}": {{...}}}}'
    if not isinstance(given, Mapping):
        yield f"resources is {shown(given)}, not a table as a task has it: write resources = {like}"
        return
    try:
        _, problems = parse_resources(given, type_name=cls.name, own_type=cls.resources_type)
    except Exception:  # noqa: BLE001 - the class declares what cannot be, which a check says
        return
    if problems:
        wrong = ", ".join(problems)
        yield f"resources is {shown(dict(given))}, which no task could ask for: {wrong}; write it as {like}"


def _wrong_platform(tests: "ExecutorConformance") -> Iterator[str]:
    kind: object = tests.platform_type
    if kind is not None and not (isinstance(kind, type) and issubclass(kind, Platform)):
        yield f"platform_type is {shown(kind)}, not a class derived from Platform (the class, not an object of it)"
    elif kind is not None and (lacking := kind.lacks(tests.executor_type)):
        yield lacking
