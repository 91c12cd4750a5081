"""Which names the source of a module binds, without running it."""

import ast
import functools
from collections.abc import Iterator

#: Whoever uses these at the top of a module, or anywhere in it, may bind names that cannot be read from its source.
_DYNAMIC = frozenset(
    {"__dict__", "_convert_", "_getframe", "eval", "exec", "f_globals", "global_enum", "globals", "locals", "modules"}
    | {"setattr", "vars"}
)
AN_AWAITABLE, A_GENERATOR = "an awaitable", "a generator"
_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)


@functools.lru_cache(maxsize=16)
def bound_names(source: str) -> frozenset[str] | None:
    """The names that a module of this source may bind at its top; None when others may come from elsewhere.

    Raises:
        SyntaxError, ValueError: it is no Python.
    """
    try:
        tree = ast.parse(source)
    except (RecursionError, MemoryError):  # so deeply nested that this Python does not read it
        return None
    names = set(_of_body(tree))
    for node in ast.walk(tree):
        if isinstance(node, ast.Global):
            names.update(node.names)
        elif _may_bind_more(node):
            return None
    return None if "__getattr__" in names else frozenset(names)


def suspends(source: str, name: str) -> str | None:
    """What the function of that name gives instead of a result when it is called: "an awaitable" or "a generator".

    None where it may well give a result: decorated functions may, and so may those that are bound in other ways.
    """
    try:
        body = ast.parse(source).body
    except (RecursionError, MemoryError):
        return None
    found: ast.stmt | None = None
    for part in name.split("."):
        found = next((node for node in reversed(body) if getattr(node, "name", None) == part), None)
        body = found.body if isinstance(found, ast.ClassDef) else []
    match found:
        case ast.FunctionDef(decorator_list=[]) if any(_yields(node) for node in found.body):
            return A_GENERATOR
        case ast.AsyncFunctionDef(decorator_list=[]):
            return A_GENERATOR if any(_yields(node) for node in found.body) else AN_AWAITABLE
    return None


def _yields(node: ast.AST) -> bool:
    if isinstance(node, ast.Yield | ast.YieldFrom):
        return True
    return not isinstance(node, _SCOPES) and any(_yields(child) for child in ast.iter_child_nodes(node))


def _may_bind_more(node: ast.AST) -> bool:
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name in _DYNAMIC
        case ast.ImportFrom(names=aliases):
            return any(alias.name == "*" for alias in aliases)
    return False


def _of_body(tree: ast.Module) -> Iterator[str]:
    """Of what stands at the top, in `if`, `try` and the like, too, but not in functions and classes."""
    left: list[ast.AST] = [tree]
    while left:
        for child in ast.iter_child_nodes(left.pop()):
            match child:
                case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                    yield name
                case ast.Name(id=name, ctx=ast.Store()):
                    yield name
                case ast.alias(name=name, asname=asname):
                    yield asname or name.partition(".")[0]
                case ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)) | ast.MatchMapping(rest=str(name)):
                    yield name
            if not isinstance(child, _SCOPES):
                left.append(child)
