"""Addresses of this host, and which of them other hosts reach it at."""

import fcntl
import ipaddress
import socket
import struct
from pathlib import Path

import attrs

from jobmon.errors import ConfigurationError

LOOPBACK = "127.0.0.1"
#: Addresses for documentation (RFC 5737, RFC 3849): the way there is the default route. Nothing is sent to them.
_FAR = ("192.0.2.1", "2001:db8::1")
_ANY_PORT = 9
_SIOCGIFADDR = 0x8915  # netdevice(7)


@attrs.frozen
class Network:
    """What this host knows of its network."""

    def source_of(self, host: str) -> str | None:
        """The address that a packet to `host` would carry as its sender's; None when there is no way there."""
        try:
            found = socket.getaddrinfo(host, _ANY_PORT, type=socket.SOCK_DGRAM)
        except OSError:
            return None
        for family, kind, protocol, _, address in found:
            with socket.socket(family, kind, protocol) as probe:
                try:
                    probe.connect(address)  # asks the kernel for the way, and sends nothing
                except OSError:
                    continue
                return str(probe.getsockname()[0])
        return None

    def addresses(self) -> list[str]:
        """The IPv4 addresses of its interfaces, loopback left out; without any, the global IPv6 ones."""
        found = []
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            for _, name in socket.if_nameindex():
                try:
                    answer = fcntl.ioctl(probe.fileno(), _SIOCGIFADDR, struct.pack("256s", name.encode()))
                except OSError:
                    continue  # it has none
                found.append(socket.inet_ntoa(answer[20:24]))
        return [address for address in found if not is_loopback(address)] or _global_ipv6()


def _global_ipv6() -> list[str]:
    try:
        lines = Path("/proc/net/if_inet6").read_text().splitlines()
    except OSError:
        return []
    rows = [line.split() for line in lines]
    return [str(ipaddress.IPv6Address(int(row[0], 16))) for row in rows if row[3] == "00"]


def is_loopback(host: str) -> bool:
    """Whether a name or an address, written as it is, means the very host that says it."""
    host = host.strip("[]")
    if host.lower() in ("localhost", "localhost.localdomain", "ip6-localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def address_towards(cluster: str | None, network: Network | None = None) -> str:
    """The address of this host that a cluster reaches it at: that of the route to `cluster`, a host of it, if one is
    known, else of the default route, else the only one that it has.

    A loopback address when `cluster` is one, as on a cluster of this single host, or when there is no network at all.

    Raises:
        ConfigurationError: this host has several addresses, and no route tells which of them it is.
    """
    network = network or Network()
    if cluster is not None and is_loopback(cluster):
        return LOOPBACK
    # A name that is loopback here is this host's own in /etc/hosts: other hosts know it by another address.
    for target in (cluster, *_FAR):
        source = None if target is None else network.source_of(target)
        if source is not None and not is_loopback(source):
            return source
    own = network.addresses()
    if len(own) > 1:
        raise ConfigurationError(f"this host has several addresses and no default route: {', '.join(own)}")
    return own[0] if own else LOOPBACK


def line_for_the_file(network: Network | None = None) -> str:
    """The lines that a user should put into jobmon.toml, with an address of this host."""
    own = (network or Network()).addresses()
    others = f"   # this host also has {', '.join(own[1:])}" if own[1:] else ""
    return f'[server]\nhost = "{own[0] if own else "ADDRESS"}"{others}'
