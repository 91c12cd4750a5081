"""Which versions of the contract a host speaks: its own, and the major one before it through an adapter.

A plugin states the version that it was written for, (major, minor). Within a major version the host's minor may be
higher. What was written for the major version before is turned by that version's adapter into a type of the host's own.
"""

from collections.abc import Callable, Sequence

import attrs

from jobmon.plugins.executor import CONTRACT_VERSION, Executor

#: Makes, of a type written for an older major version, one that the host can use as its own. `api_version` and `name`
#: stay those of the type.
Adapter = Callable[[type[Executor]], type[Executor]]


@attrs.frozen
class Contract:
    """A major version of the contract that a host speaks, with its minor versions from 0 to `minor`."""

    major: int
    minor: int
    adapt: Adapter | None = None  #: None: it is the host's own

    def __str__(self) -> str:
        return f"{self.major}.0" + (f" to {self.major}.{self.minor}" if self.minor else "")


#: What this host speaks, its own first, then the one before it. There is none before 1.
SPOKEN: tuple[Contract, ...] = (Contract(*CONTRACT_VERSION),)


def contract_of(version: tuple[int, int], spoken: Sequence[Contract] = SPOKEN) -> Contract | None:
    """The contract by which a host speaks with a type written for this version; None: it cannot."""
    return next((one for one in spoken if one.major == version[0] and 0 <= version[1] <= one.minor), None)


def words(spoken: Sequence[Contract] = SPOKEN) -> str:
    """What a host speaks, for a sentence."""
    return " and ".join(map(str, reversed(spoken)))


def what_to_install(
    version: tuple[int, int], spoken: Sequence[Contract], *, distribution: str, installed: str, jobmon: str
) -> str:
    """What to do where there is no contract for the version: the plugin is too new for this jobmon, or too old.

    `installed` and `jobmon` are the versions of the plugin's distribution and of jobmon.
    """
    if version[0] > spoken[0].major or version[0] in [contract.major for contract in spoken]:
        return (
            f"It is too new: upgrade jobmon (pip install --upgrade jobmon), or install an older {distribution} "
            f"(pip install '{distribution}<{installed}')."
        )
    return (
        f"It is too old: upgrade {distribution} (pip install --upgrade {distribution}), or install an older jobmon "
        f"(pip install 'jobmon<{jobmon}')."
    )
