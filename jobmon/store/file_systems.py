"""Whether a folder lies on a disk of this host, from what the kernel says of its mount, not from a list of networks."""

from pathlib import Path

import attrs

#: Of this host, though no block device of the kernel's stands behind them: in memory, over several devices, or stacked
#: on another file system of this host.
_LOCAL = frozenset(
    {"aufs", "bcachefs", "btrfs", "devtmpfs", "ecryptfs", "jffs2", "overlay", "ramfs", "rootfs", "shiftfs", "tmpfs"}
    | {"ubifs", "unionfs", "zfs", "lxfs", "wslfs"}
    | {f"fuse.{name}" for name in ("bindfs", "encfs", "fuse-overlayfs", "gocryptfs", "mergerfs", "zfs-fuse")}
)
#: Of several hosts, though a block device of this one stands behind them.
_SHARED_DISKS = frozenset({"gfs2", "ocfs2"})


@attrs.frozen
class Mount:
    """A mounted file system, as proc_pid_mountinfo(5) tells of it."""

    kind: str
    major: int  #: 0: it has no block device
    source: str


def mount_of(path: Path, mountinfo: Path = Path("/proc/self/mountinfo")) -> Mount | None:
    """The file system that holds the path; None when it cannot be told."""
    target = str(path.absolute().parent.resolve())
    best, found = "", None
    try:
        lines = mountinfo.read_text(errors="surrogateescape").splitlines()
    except OSError:
        return None
    for line in lines:
        mounted, _, file_system = line.partition(" - ")
        _id, _parent, device, _root, point, *_ = mounted.split(" ")
        point = _unescaped(point)
        inside = target == point or target.startswith(point.rstrip("/") + "/")
        if inside and len(point) >= len(best):
            kind, source, *_ = [*file_system.split(" "), ""]
            best, found = point, Mount(kind, int(device.partition(":")[0]), _unescaped(source))
    return found


def is_local(mount: Mount) -> bool:
    """Whether only this host uses the file system: a block device of its own holds it, or its kind is known to be."""
    if mount.kind in _SHARED_DISKS:
        return False
    return mount.kind in _LOCAL or mount.major != 0 or mount.source.startswith("/dev/")


def _unescaped(text: str) -> str:
    for escaped in ("040", "011", "012", "043", "134"):
        text = text.replace(f"\\{escaped}", chr(int(escaped, 8)))
    return text
