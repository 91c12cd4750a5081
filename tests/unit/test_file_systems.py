"""A file system is told to be of this host alone by what stands behind it; a new kind of network needs no new name."""

from pathlib import Path

import pytest

from jobmon.store.file_systems import Mount, is_local, mount_of

MOUNTS = r"""
21 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
22 21 0:40 / /home rw - nfs4 server:/home rw
23 22 8:17 / /home/local rw - xfs /dev/sdb1 rw
24 22 0:41 / /home/with\040space rw shared:2 master:3 - lustre 10.0.0.1@tcp:/scratch rw
25 21 0:42 / /mnt/far rw - fuse.sshfs ann@host: rw
26 21 0:43 /homestead /homestead rw - btrfs /dev/sdc1 rw
27 21 0:44 / /empty rw - wekafs  rw
""".lstrip()


@pytest.mark.parametrize(
    ("file", "kind", "local"),
    [
        ("/var/jobmon.db", "ext4", True),
        ("/home/ann/jobmon.db", "nfs4", False),
        ("/home/jobmon.db", "nfs4", False),
        ("/home/local/ann/jobmon.db", "xfs", True),
        ("/home/with space/jobmon.db", "lustre", False),
        ("/homestead/jobmon.db", "btrfs", True),
        ("/mnt/far/jobmon.db", "fuse.sshfs", False),
        ("/empty/jobmon.db", "wekafs", False),
    ],
)
def test_the_file_system_is_that_of_the_nearest_mount(tmp_path: Path, file: str, kind: str, local: bool) -> None:
    (tmp_path / "mountinfo").write_text(MOUNTS)
    mount = mount_of(Path(file), tmp_path / "mountinfo")
    assert mount is not None
    assert (mount.kind, is_local(mount)) == (kind, local)


@pytest.mark.parametrize(
    ("kind", "major", "source"),
    [("tmpfs", 0, "tmpfs"), ("overlay", 0, "overlay"), ("zfs", 0, "tank/home"), ("fuseblk", 8, "/dev/sdd1"),
     ("fuse.fuse-overlayfs", 0, "fuse-overlayfs"), ("newfs", 259, "/dev/nvme0n1p2"), ("newfs", 0, "/dev/nvme0n1p2")],
)  # fmt: skip
def test_disks_and_memory_of_this_host_are_local(kind: str, major: int, source: str) -> None:
    assert is_local(Mount(kind, major, source))


@pytest.mark.parametrize(
    "kind",
    ["wekafs", "dvs", "virtiofs", "9p", "vboxsf", "cifs", "smb3", "gpfs", "beegfs", "ceph", "quobyte", "fuse.new"],
)
def test_what_no_disk_of_this_host_stands_behind_is_not(kind: str) -> None:
    assert not is_local(Mount(kind, 0, "anything"))


def test_a_disk_that_several_hosts_share_is_not() -> None:
    assert not is_local(Mount("gfs2", 253, "/dev/mapper/shared"))


def test_nothing_is_said_where_the_kernel_says_nothing(tmp_path: Path) -> None:
    assert mount_of(Path("/var/jobmon.db"), tmp_path / "none") is None
