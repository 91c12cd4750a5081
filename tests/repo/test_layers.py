"""Who may import whom: the layers of docs/architecture.md."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

_0 = {"errors", "ids", "clock", "inherited", "isolated", "processes", "surroundings", "trust", "whereabouts"}
_1 = _0 | {"states", "dag"}
_2 = _1 | {"wire", "plugins"}
_3 = _2 | {"store", "requester", "config"}

#: Package of the core -> the packages that it may import beside itself.
MAY_IMPORT: dict[str, set[str]] = {
    "errors": set(),
    "ids": set(),
    "clock": set(),
    "inherited": set(),
    "processes": set(),
    "surroundings": {"inherited"},
    "isolated": set(),
    "whereabouts": {"errors"},
    "trust": {"errors", "whereabouts"},
    "states": _0,
    "dag": _0 | {"states"},
    "wire": _1,
    "plugins": _1 | {"wire"},
    "reports": _0,
    "store": _2,
    "requester": _2,
    "config": _2,
    "worker": set(),
    "server": _2 | {"__init__", "store", "requester", "worker"},
    "managers": _2 | {"requester", "config", "worker"},
    "agent": _2 | {"requester", "worker"},
    "client": _2 | {"requester", "config", "managers", "worker"},
    "__init__": _2 | {"client"},
    "testing": _3 | {"reports", "server", "managers", "agent", "worker", "client"},
    "cli": _3 | {"reports", "scaffold", "server", "managers", "agent", "worker", "client"},
    "scaffold": _0,
    "__main__": {"cli"},
}
#: Makes the worker's file on the manager's side and is no part of it.
SHIPS_THE_WORKER = Path("jobmon/worker/build.py")
#: Third-party package -> the only packages of the core that may import it.
RESERVED: dict[str, set[str]] = {
    "pluggy": {"plugins"},
    "importlib_metadata": {"plugins"},
    "sqlalchemy": {"store"},
    "alembic": {"store"},
    "requests": {"requester"},
    "urllib3": {"requester"},
    "starlette": {"server"},
    "uvicorn": {"server"},
    "uvloop": {"server"},
    "httptools": {"server"},
    "click": {"cli"},
    "rich": {"cli", "client"},
    "msgspec": set(MAY_IMPORT) - _0 - {"dag", "worker"},
    "attr": set(),
    "pytest": {"testing"},
    "hypothesis": {"testing"},
}


def imports(path: Path, tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Line and absolute name of everything that is imported, also inside functions."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name
        elif isinstance(node, ast.ImportFrom):
            parents = path.parts[: -node.level] if node.level else ()
            for alias in node.names:
                yield node.lineno, ".".join([*parents, *([node.module] if node.module else []), alias.name])


def package_of(path: Path) -> str:
    """`store` of jobmon/store/schema.py, `errors` of jobmon/errors.py."""
    return path.parts[1].removesuffix(".py")


def core(code: dict[Path, ast.Module]) -> dict[Path, ast.Module]:
    return {path: tree for path, tree in code.items() if path.parts[0] == "jobmon"}


def test_every_package_of_the_core_has_its_place_in_the_table(code: dict[Path, ast.Module]) -> None:
    assert {package_of(path) for path in core(code)} <= set(MAY_IMPORT)


def test_a_package_imports_only_what_its_layer_allows(code: dict[Path, ast.Module]) -> None:
    wrong = []
    for path, tree in core(code).items():
        own = package_of(path)
        if path == SHIPS_THE_WORKER:
            continue
        for line, name in imports(path, tree):
            parts = name.split(".")
            target = parts[1] if len(parts) > 1 else "__init__"
            if parts[0] == "jobmon" and target != own and target in MAY_IMPORT and target not in MAY_IMPORT[own]:
                wrong.append(f"{path}:{line}: {own} imports {name}")
    assert wrong == []


def test_the_shipped_kit_and_the_command_line_are_imported_by_nobody(code: dict[Path, ast.Module]) -> None:
    wrong = [
        f"{path}:{line}: {name}"
        for path, tree in code.items()
        for line, name in imports(path, tree)
        if name.startswith(("jobmon.testing.", "jobmon.cli."))
        and package_of(path) not in ("cli", "__main__", "testing")
    ]
    assert wrong == []


def test_third_party_packages_stay_in_the_package_that_owns_them(code: dict[Path, ast.Module]) -> None:
    wrong = []
    for path, tree in core(code).items():
        for line, name in imports(path, tree):
            top = name.split(".")[0]
            if top in RESERVED and package_of(path) not in RESERVED[top]:
                wrong.append(f"{path}:{line}: {name}")
    assert wrong == []


def test_the_worker_needs_the_standard_library_alone(code: dict[Path, ast.Module]) -> None:
    wrong = [
        f"{path}:{line}: {name}"
        for path, tree in core(code).items()
        if package_of(path) == "worker" and path != SHIPS_THE_WORKER
        for line, name in imports(path, tree)
        if name.split(".")[0] not in sys.stdlib_module_names | {"_sha2", "_sha256"}  # Python's own, by its version
        and not name.startswith("jobmon.worker")
    ]
    assert wrong == []


def test_the_pure_packages_do_no_input_or_output(code: dict[Path, ast.Module]) -> None:
    effects = set("os io socket subprocess threading time logging random asyncio pathlib datetime".split())  # noqa: SIM905
    wrong = [
        f"{path}:{line}: {name}"
        for path, tree in core(code).items()
        if package_of(path) in ("states", "dag")
        for line, name in imports(path, tree)
        if name.split(".")[0] in effects
    ]
    assert wrong == []


def test_a_plugin_knows_jobmon_only_by_the_public_names_of_its_plugin_package(code: dict[Path, ast.Module]) -> None:
    from jobmon import plugins

    wrong = []
    for path, tree in code.items():
        if path.parts[0] != "plugins":
            continue
        for line, name in imports(path, tree):
            top = name.split(".")[0]
            ours = name.startswith("jobmon.") and name.removeprefix("jobmon.plugins.") not in plugins.__all__
            another = top.startswith("jobmon_") and top != path.parts[1]
            if ours or another:
                wrong.append(f"{path}:{line}: {name}")
    assert wrong == []


@pytest.mark.parametrize("package", ["jobmon.plugins"])
def test_what_a_public_package_exports_is_there(package: str) -> None:
    module = __import__(package, fromlist=["__all__"])
    assert [name for name in module.__all__ if not hasattr(module, name)] == []
