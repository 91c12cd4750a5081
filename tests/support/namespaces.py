"""Two hosts of a network of their own, made of network namespaces: for what must reach beyond loopback."""

import os
import secrets
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

import attrs


@attrs.frozen
class Host:
    """One namespace, and its address in the network of the two."""

    name: str
    address: str
    address6: str

    def argv(self, *command: str) -> list[str]:
        """The command, run there."""
        return ["ip", "netns", "exec", self.name, *command]


def why_not() -> str:
    """Why this process cannot make namespaces; empty when it can."""
    if os.geteuid() != 0:
        return "network namespaces need root"
    if shutil.which("ip") is None:
        return "network namespaces need the program ip (iproute2)"
    probe = f"jm-{secrets.token_hex(4)}"
    made = subprocess.run(["ip", "netns", "add", probe], capture_output=True, text=True, check=False)
    if made.returncode:
        return f"no network namespace can be made here: {made.stderr.strip()}"
    _ip("netns", "delete", probe)
    return ""


@contextmanager
def two_hosts() -> Iterator[tuple[Host, Host]]:
    """Two namespaces joined by a pair of interfaces, with nothing else but loopback; they are removed afterwards."""
    tag = secrets.token_hex(4)
    hosts = (Host(f"jm-{tag}a", "10.99.7.1", "fd07::1"), Host(f"jm-{tag}b", "10.99.7.2", "fd07::2"))
    made = []
    try:
        for host in hosts:
            _ip("netns", "add", host.name)
            made.append(host)
        a, b = hosts
        _ip("-n", a.name, "link", "add", "veth0", "type", "veth", "peer", "name", "veth0", "netns", b.name)
        for host in hosts:
            _ip("-n", host.name, "address", "add", f"{host.address}/24", "dev", "veth0")
            _ip("-n", host.name, "address", "add", f"{host.address6}/64", "dev", "veth0", "nodad")
            for device in ("lo", "veth0"):
                _ip("-n", host.name, "link", "set", device, "up")
        yield hosts
    finally:
        for host in made:
            _ip("netns", "delete", host.name)


def _ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True, capture_output=True)
