"""Sizes, docstrings, and what nobody may write."""

import ast
import itertools
import re
import statistics
from collections.abc import Iterator
from pathlib import Path

TEXT = {".py", ".md", ".toml", ".txt", ".cfg", ".sh", ".ini", ".json", ".yml", ".yaml", ""}
Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


def lines(root: Path, path: Path) -> int:
    return len((root / path).read_text(encoding="utf-8").splitlines())


def test_no_file_is_longer_than_500_lines(
    root: Path, code: dict[Path, ast.Module], tests: dict[Path, ast.Module]
) -> None:
    assert [str(path) for path in [*code, *tests] if lines(root, path) > 500] == []


def test_half_of_the_files_are_shorter_than_150_lines(root: Path, code: dict[Path, ast.Module]) -> None:
    assert statistics.median(lines(root, path) for path in code if lines(root, path)) < 150


def test_no_folder_of_tests_is_a_package(files: tuple[Path, ...], root: Path) -> None:
    """With several distributions pytest would run one plugin's tests three times and the others' never."""
    assert [str(path) for path in files if path.name == "__init__.py" and "tests" in path.relative_to(root).parts] == []


def test_no_two_test_files_have_one_name(tests: dict[Path, ast.Module]) -> None:
    names = [path.name for path in tests if path.name.startswith("test_") and path.parts[0] == "tests"]
    assert sorted({name for name in names if names.count(name) > 1}) == []


def public(tree: ast.Module) -> Iterator[tuple[str, Definition, bool]]:
    """Public classes and functions of a module and methods of the classes: name, node, whether it is a method."""
    for node in tree.body:
        if isinstance(node, Definition) and not node.name.startswith("_"):
            yield node.name, node, False
            if isinstance(node, ast.ClassDef):
                for child in node.body:
                    if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef) and not child.name.startswith("_"):
                        yield f"{node.name}.{child.name}", child, True


def test_public_modules_classes_and_functions_are_documented(root: Path, code: dict[Path, ast.Module]) -> None:
    """A method may leave it to a documented method of the same name, which it implements or overrides.

    A check of the conformance kit has the sentence that it holds, in its decorator, and a mutant what it does.
    """
    documented = {
        name.split(".")[1]
        for tree in code.values()
        for name, node, is_method in public(tree)
        if is_method and ast.get_docstring(node)
    }
    wrong = [str(path) for path, tree in code.items() if tree.body and not ast.get_docstring(tree)]
    for path, tree in code.items():
        if "migrations" in path.parts:  # each has Alembic's upgrade and downgrade
            continue
        for name, node, is_method in public(tree):
            if any(ast.unparse(decorator).startswith(("holds(", "mutant(")) for decorator in node.decorator_list):
                continue
            if not ast.get_docstring(node) and not (is_method and name.split(".")[1] in documented):
                wrong.append(f"{path}:{node.lineno}: {name}")
    assert wrong == []


def test_no_exception_is_swallowed_unseen(code: dict[Path, ast.Module], tests: dict[Path, ast.Module]) -> None:
    wrong = []
    for path, tree in (code | tests).items():
        for node in ast.walk(tree):
            if isinstance(node, ast.ExceptHandler):
                broad = isinstance(node.type, ast.Name) and node.type.id in ("Exception", "BaseException")
                silent = len(node.body) == 1 and isinstance(node.body[0], ast.Pass | ast.Continue)
                if node.type is None or (broad and silent):
                    wrong.append(f"{path}:{node.lineno}")
    assert wrong == []


def test_nothing_sleeps_to_wait_for_something(code: dict[Path, ast.Module], tests: dict[Path, ast.Module]) -> None:
    """Waiting is for a descriptor, a condition or the end of a process; acceptance tests alone may look again."""
    wrong = []
    for path, tree in (code | tests).items():
        if path.parts[:2] == ("tests", "acceptance"):
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in ("time.sleep", "sleep"):
                wrong.append(f"{path}:{node.lineno}")
    assert wrong == []


def test_python_is_started_without_the_working_folder_on_its_path(code: dict[Path, ast.Module]) -> None:
    """For processes of our own there is `jobmon.isolated`; where that is too much, -I or -P come first."""
    wrong = []
    for path, tree in code.items():
        for node in ast.walk(tree):
            parts = node.elts if isinstance(node, ast.List | ast.Tuple) else []
            for program, option in itertools.pairwise(parts):
                python = ast.unparse(program) == "sys.executable" and isinstance(option, ast.Constant)
                if python and option.value not in ("-I", "-P"):
                    wrong.append(f"{path}:{node.lineno}: {ast.unparse(node)[:80]}")
    assert [line for line in wrong if line.startswith(("jobmon/", "plugins/"))] == []


def test_nothing_names_a_place_of_the_machine_it_was_written_on(files: tuple[Path, ...], root: Path) -> None:
    places = ["/work" + "/main", "/work" + "/shared", "/tmp" + "/dev", "/root" + "/", "shared" + "/design"]
    pattern = re.compile("|".join(map(re.escape, places)))
    wrong = []
    for path in files:
        if path.suffix in TEXT:
            for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), 1):
                if pattern.search(line):
                    wrong.append(f"{path.relative_to(root)}:{number}: {line.strip()[:80]}")
    assert wrong == []


def test_a_test_is_named_by_a_sentence(tests: dict[Path, ast.Module]) -> None:
    wrong = []
    for path, tree in tests.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_") and node.name.count("_") < 3:
                wrong.append(f"{path}:{node.lineno}: {node.name}")
    assert wrong == []
