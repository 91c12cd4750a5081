"""Requests that no client of ours sends: messages made from the types of the routes, and real ones made wrong."""

import copy
import json
import random
import string
from typing import Any

from msgspec import inspect

#: What is put where something else was: edges of numbers and sizes, odd text, deep and wide JSON, other types.
ODD: list[Any] = [
    None, True, False, 0, 1, -1, 2**31, 2**53, 2**53 + 1, 2**63 - 1, 2**63, 2**64, -(2**63), 10**30, 0.5, -0.0, 1e308,
    "", " ", "\0", "a" * 65, "a" * 2_000, "é🙂\u202e", "'; DROP TABLE job; --", "../../etc/passwd", "%s{0}", "$output",
    [], [[]], [None], {}, {"": None}, {"$output": 1}, {"$output": 2**70}, {"$output": True}, ["x"] * 300,
    *[b'{"a":' * n + b"1" + b"}" * n for n in (3, 300, 2_000)], *[b"[" * n + b"]" * n for n in (200, 990, 100_000)],
]  # fmt: skip
_VALUES = [part for part in ODD if not isinstance(part, bytes)]
ODD_BYTES = [b"", b"\0", b"\xff", b"NaN", b"1e999", b'"\\ud800"', b"//", b"9" * 5_000, b"\xef\xbb\xbf", b",", b"}"]
HEADERS: dict[str, list[bytes]] = {
    "authorization": [b"", b"Bearer", b"Bearer \xff", b"Worker", b"Worker .", b"Worker \xff.00", b"Basic eDp5"],
    "jobmon-api": [b"", b"0", b"0.99", b"-1.0", b"1.1", b"0.1.2", b"\xff", b"9" * 4_400 + b".1"],
    "jobmon-request-id": [b"", b"again", b"x" * 64, b"x" * 65, b"\xff\0"],
    "content-length": [b"0", b"-1", b"abc", b"9" * 5_000, b"99999999999"],
    "transfer-encoding": [b"chunked"],
}


def as_json(message: Any) -> bytes:
    """JSON with whatever numbers."""
    return json.dumps(message).encode()


class Mutations:
    """Makes messages. `known` are values that mean something to the server at present, by the name of a field."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self.known: dict[str, list[Any]] = {}

    def learn(self, value: Any, name: str = "") -> None:
        """Remember the leaves of an answer or of a message."""
        if isinstance(value, dict):
            for key, part in value.items():
                self.learn(part, key)
        elif isinstance(value, list):
            for part in value[:5]:
                self.learn(part, name.removesuffix("s"))
        elif value is not None:
            kept = self.known.setdefault(name.removeprefix("first_"), [])
            kept.append(value)
            del kept[:-20]

    def message(self, kind: type) -> Any:
        """A message of a type, each field within its bounds or what the server knows by that name."""
        return self._value(inspect.type_info(kind), "", 0)

    def _value(self, info: inspect.Type, name: str, depth: int) -> Any:
        chance = self._chance
        if name in self.known and chance.random() < 0.7:
            return copy.deepcopy(chance.choice(self.known[name]))
        match info:
            case inspect.DataclassType() | inspect.StructType():
                fields = [f for f in info.fields if f.required or chance.random() < 0.7]
                return {f.encode_name: self._value(f.type, f.encode_name, depth + 1) for f in fields}
            case inspect.IntType():
                return chance.choice([info.ge or 0, info.le or 1, 1, 2, 3])
            case inspect.FloatType():
                return chance.choice([0.0, 1.5, info.le or 1e300])
            case inspect.StrType():
                return "".join(chance.choices(string.printable, k=chance.choice([0, 1, 8, 30])))
            case inspect.BoolType():
                return chance.random() < 0.5
            case inspect.EnumType():
                return chance.choice(list(info.cls)).value
            case inspect.ListType():
                return [self._value(info.item_type, name.removesuffix("s"), depth) for _ in range(chance.randrange(3))]
            case inspect.DictType():
                keys = [self._value(info.key_type, "executor", depth) for _ in range(chance.randrange(3))]
                return {str(key): self._value(info.value_type, name, depth) for key in keys}
            case inspect.UnionType():
                return self._value(chance.choice(info.types), name, depth)
            case inspect.AnyType():
                return copy.deepcopy(chance.choice(_VALUES))
        return None

    def wrong(self, message: Any) -> bytes:
        """A message with one to three things changed, as it stands on the wire."""
        chance, message = self._chance, copy.deepcopy(message)
        holes: dict[str, bytes] = {}
        for _ in range(chance.choice([1, 1, 2, 3])):
            message = self._changed(message, holes)
        content = as_json(message)
        for hole, odd in holes.items():
            content = content.replace(f'"{hole}"'.encode(), odd)
        return self._damaged(content) if chance.random() < 0.2 else content

    def _changed(self, message: Any, holes: dict[str, bytes]) -> Any:
        chance, places = self._chance, list(_places(message))
        if not places:
            return copy.deepcopy(chance.choice(_VALUES))
        holder, key = chance.choice(places)
        how = chance.randrange(5)
        if how == 0:
            del holder[key]
        elif how == 1 and isinstance(holder, list):
            holder += [copy.deepcopy(holder[key])] * chance.choice([1, 3, 1_000])
        elif how == 2 and self.known:
            holder[key] = copy.deepcopy(chance.choice(self.known[chance.choice(list(self.known))]))
        else:
            odd = copy.deepcopy(chance.choice(ODD))
            if isinstance(odd, bytes):
                name = f"hole{len(holes)}"
                holes[name], odd = odd, name
            holder[key] = odd
        return message

    def _damaged(self, content: bytes) -> bytes:
        at = self._chance.randrange(len(content) + 1)
        return content[:at] + self._chance.choice(ODD_BYTES) + content[at + self._chance.randrange(3) :]

    def headers(self, good: dict[str, bytes]) -> list[tuple[bytes, bytes]]:
        """Headers, now and then with a wrong one."""
        headers = dict(good)
        if self._chance.random() < 0.1:
            name = self._chance.choice(list(HEADERS))
            headers[name] = self._chance.choice(HEADERS[name])
        return [(name.encode(), value) for name, value in headers.items()]


def _places(value: Any) -> Any:
    """Every place of a value: what holds it, and its key there."""
    if isinstance(value, dict | list):
        for key in list(value) if isinstance(value, dict) else range(len(value)):
            yield value, key
            yield from _places(value[key])
