"""Whether what an executor class says of itself is what the contract has it say."""

from collections.abc import Iterable, Mapping

from jobmon.plugins.executor import Executor
from jobmon.plugins.fields import wrong_fields
from jobmon.plugins.methods import wrong_methods
from jobmon.plugins.records import Placement, Support
from jobmon.plugins.resources import CORE_KEYS
from jobmon.plugins.wording import shown
from jobmon.states.evidence import Reporting

_KEPT = frozenset({"type", "host"})  #: of the tables of executors, for the core
_BATCHES = "jobmon.plugins.batch.executor"


def wrong_declarations(cls: type[Executor]) -> list[str]:
    """What is wrong with the attributes and methods of the class, a phrase each."""
    must_be = {
        "name": (f"a lower-case identifier other than {', '.join(CORE_KEYS)}", _is_name(cls.name)),
        "__doc__": ("text", cls.__doc__ is None or isinstance(cls.__doc__, str)),
        "reporting": ("a Reporting", isinstance(cls.reporting, Reporting)),
        "placement": ("a Placement", isinstance(cls.placement, Placement)),
        "exclusive": ("True or False", isinstance(cls.exclusive, bool)),
        "core_resources": (f"a mapping of {', '.join(CORE_KEYS)} to Support", _is_support(cls.core_resources)),
        "exit_map": ("a mapping of exit statuses other than 0 to such", _is_exit_map(cls.exit_map)),
    }
    wrong = [f"{name} is {shown(getattr(cls, name))}, not {what}" for name, (what, good) in must_be.items() if not good]
    wrong += [f"settings_type {fault}" for fault in wrong_fields(cls.settings_type, _KEPT)]
    wrong += [f"resources_type {fault}" for fault in wrong_fields(cls.resources_type)]
    if not _workers_alone(cls.core_resources, cls.reporting):
        wrong.append("core_resources says Support.WORKER: only of runtime, and only where workers report")
    return [*wrong, *wrong_methods(cls), *_wrong_batch(cls)]


def _wrong_batch(cls: type[Executor]) -> Iterable[str]:
    if not any(base.__module__ == _BATCHES for base in cls.__mro__):
        return ()
    from jobmon.plugins.batch.declared import wrong_batch  # costs milliseconds, and no other type needs it

    return wrong_batch(cls)


# A plugin may have put anything there.


def _is_name(value: object) -> bool:
    return isinstance(value, str) and value.isidentifier() and value == value.lower() and value not in CORE_KEYS


def _is_support(value: object) -> bool:
    return (
        isinstance(value, Mapping)
        and set(value) <= set(CORE_KEYS)
        and all(isinstance(support, Support) for support in value.values())
    )


def _workers_alone(value: object, reporting: object) -> bool:
    """Support.WORKER stands at nothing but the run time, and where there are workers."""
    if not isinstance(value, Mapping):
        return True
    by_worker = [key for key, support in value.items() if support is Support.WORKER]
    return not by_worker or (by_worker == ["runtime"] and reporting is Reporting.WORKER)


def _is_exit_map(value: object) -> bool:
    return isinstance(value, Mapping) and all(
        type(status) is int and 1 <= status <= 255 for pair in value.items() for status in pair
    )
