"""Strangers at a port: `python -m benchmarks.strangers HOST PORT N SECONDS` prints how many connections they made."""

import asyncio
import logging
import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress

_ANSWER = 1 << 16
_PATIENCE_S = 5.0
_TOKENS = b'{"worker_id":"w","host":"h","tokens":[' + b",".join([b'"j00000000000000000000000000"'] * 130_000) + b"]}"
_DEEP = b'{"run_id":1,"jobs":' + b"[" * 2_000_000

Attack = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def _post(path: str, length: int, *more: str) -> bytes:
    lines = [f"POST {path} HTTP/1.1", "Host: x", "Jobmon-Api: 0.1", f"Content-Length: {length}", *more]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def _sends(*pieces: bytes) -> Attack:
    async def attack(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
        await reader.read(_ANSWER)

    return attack


async def _slowly(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    for byte in _post("/attempts/heartbeat", 10):
        writer.write(bytes([byte]))
        await asyncio.sleep(0.5)


async def _asks_for_health(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    for _ in range(100):
        writer.write(_post("/health", 2) + b"{}")
        await reader.read(_ANSWER)


ATTACKS: list[Attack] = [
    _sends(_post("/attempts/start", len(_TOKENS)), _TOKENS),
    _sends(_post("/attempts/start", len(_TOKENS), f"Authorization: Worker j{'0' * 26}.{'0' * 64}"), _TOKENS),
    _sends(_post("/runs/bind", len(_DEEP), "Authorization: Bearer wrong"), _DEEP),
    _sends(_post("/workflows", 2, "Authorization: Bearer wrong") + b"{}"),
    _sends(b"POST /health HTTP/1.1\r\n" + b"X: y\r\n" * 100_000),
    _sends(b"\xff" * 1_000_000),
    _sends((_post("/health", 2) + b"{}") * 5_000),
    _slowly,
    _asks_for_health,
]


async def _stranger(host: str, port: int, number: int, until: float) -> int:
    """One connection after the other, each for the same attack."""
    attack, made = ATTACKS[number % len(ATTACKS)], 0
    while (left := until - asyncio.get_running_loop().time()) > 0:
        with suppress(OSError, TimeoutError, asyncio.IncompleteReadError):
            async with asyncio.timeout(min(left, _PATIENCE_S)):
                reader, writer = await asyncio.open_connection(host, port)
                made += 1
                try:
                    await attack(reader, writer)
                finally:
                    writer.transport.abort()
    return made


async def _all(host: str, port: int, n: int, seconds: float) -> int:
    until = asyncio.get_running_loop().time() + seconds
    return sum(await asyncio.gather(*(_stranger(host, port, number, until) for number in range(n))))


if __name__ == "__main__":
    logging.getLogger("asyncio").setLevel(logging.ERROR)  # it says of each broken connection that it is
    print(asyncio.run(_all(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4]))))
