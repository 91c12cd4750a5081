"""A host speaks its own major version of the contract, and the one before it through an adapter."""

import sys
from itertools import pairwise
from pathlib import Path

import pytest
from fake_plugins import good, plugin

from jobmon.errors import PluginError, PluginIncompatible
from jobmon.plugins import CONTRACT_VERSION, Executor
from jobmon.plugins.contracts import SPOKEN, Contract, contract_of, what_to_install, words
from jobmon.plugins.registry import Registry


def renamed(cls: type[Executor]) -> type[Executor]:
    """An adapter from contract 1 to a contract 2 in which `cluster_host` has become `cluster`."""
    return type(cls.__name__, (cls,), {"cluster": lambda self: self.cluster_host()})


ONE = Contract(1, 3, renamed)
#: A host of the future: its own contract, and the one before it.
NEXT = (Contract(2, 1), ONE)


@pytest.mark.parametrize(
    ("version", "by"),
    [
        ((2, 0), NEXT[0]),
        ((2, 1), NEXT[0]),
        ((2, 2), None),
        ((3, 0), None),
        ((1, 0), ONE),
        ((1, 3), ONE),
        ((1, 4), None),
        ((0, 9), None),
        ((1, -1), None),
    ],
)
def test_a_version_is_spoken_by_the_contract_of_its_major(version: tuple[int, int], by: Contract | None) -> None:
    assert by is contract_of(version, NEXT)


@pytest.mark.parametrize(("version", "age"), [((2, 2), "new"), ((3, 0), "new"), ((1, 4), "new"), ((0, 9), "old")])
def test_what_is_not_spoken_is_too_new_or_too_old_and_says_what_to_install(version: tuple[int, int], age: str) -> None:
    told = what_to_install(version, NEXT, distribution="lab", installed="4.5", jobmon="6.7")
    assert told.startswith(f"It is too {age}: upgrade {'jobmon' if age == 'new' else 'lab'} (pip install --upgrade ")
    assert told.endswith(f"(pip install '{'lab<4.5' if age == 'new' else 'jobmon<6.7'}').")


def test_a_host_says_all_that_it_speaks() -> None:
    assert words(NEXT) == "1.0 to 1.3 and 2.0 to 2.1"
    assert words((Contract(1, 0),)) == "1.0"


def test_this_host_speaks_its_own_contract_and_at_most_the_one_before_it() -> None:
    own, *older = SPOKEN
    assert (own.major, own.minor, own.adapt) == (*CONTRACT_VERSION, None)
    assert len(older) == min(1, CONTRACT_VERSION[0] - 1)
    assert all(one.adapt is not None for one in older)
    assert all(after.major == before.major + 1 for after, before in pairwise(SPOKEN))


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of plugins, written for the contracts 0, 1, 2 and 3."""
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    for major, name in enumerate(["zero", "one", "two", "three"]):
        plugin(tmp_path, name, good(name, (major, 0)))
    yield tmp_path
    for name in ["zero", "one", "two", "three"]:
        sys.modules.pop(f"jobmon_{name}", None)


def test_a_host_of_the_next_contract_loads_plugins_of_both_each_as_its_own(place: Path) -> None:
    registry = Registry(try_first=False, spoken=NEXT)
    two, one = registry.load("two"), registry.load("one")
    assert not hasattr(two, "cluster")
    assert one({}).cluster() is None
    assert (one.name, one.api_version) == ("one", (1, 0))
    for name, told in {
        "three": "It is too new: upgrade jobmon",
        "zero": "It is too old: upgrade jobmon-executor-zero",
    }.items():
        with pytest.raises(PluginIncompatible, match=f"speaks 1.0 to 1.3 and 2.0 to 2.1. {told}"):
            registry.load(name)


def test_what_an_adapter_makes_is_held_to_the_host_s_own_contract(place: Path) -> None:
    broken = Contract(1, 0, lambda cls: type(cls.__name__, (cls,), {"submit": None}))
    with pytest.raises(PluginError, match="declares what cannot be: submit is None, not a method"):
        Registry(try_first=False, spoken=(Contract(2, 0), broken)).load("one")
