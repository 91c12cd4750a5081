"""What all benchmarks are given."""

import tempfile
from collections.abc import Sequence
from pathlib import Path

import attrs

from benchmarks.figure import Results
from benchmarks.peers import Peer, Peers


@attrs.frozen
class Setting:
    """Where to measure, how often, beside whom, and where results go. `quick`: small, to see that it works."""

    results: Results
    peers: Peers
    quick: bool
    repeats: int
    parent: Path  #: scratch folders are made below it

    @staticmethod
    def default_parent() -> Path:
        """Where temporary files go. On a file system in memory a sync costs nothing: give another folder there."""
        return Path(tempfile.gettempdir())

    def peers_once(self, peers: Sequence[Peer], seconds: dict[str, list[float]]) -> None:
        """Have each peer do its work once, and note how long that took."""
        for peer in peers:
            seconds.setdefault(peer.name, []).append(peer.seconds(self.parent))
