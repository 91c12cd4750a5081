"""Which names the source of a module binds, without running it."""

import ast
import functools
from collections.abc import Iterator

#: Whoever uses these at the top of a module, or anywhere in it, may bind names that cannot be read from its source.
_DYNAMIC = frozenset(
    {"__dict__", "_convert_", "_getframe", "eval", "exec", "f_globals", "global_enum", "globals", "locals", "modules"}
    | {"setattr", "vars"}
)
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
