"""Counts of the records: each undelivered record is counted under its reason."""

from __future__ import annotations

from typing import Dict, NamedTuple


class Stats(NamedTuple):
    """Counts since the handler was made, or since the fork in a child process."""

    #: Records given to the handler.
    emitted: int
    #: Records that the receiver confirmed.
    sent: int
    #: Records in the queue or being sent.
    pending: int
    #: Records lost, by reason: queue full, refused by the receiver, gave up retrying, exit deadline, nested too deep.
    dropped: Dict[str, int]
    #: Requests that were sent again.
    retries: int

    @property
    def dropped_total(self) -> int:
        return sum(self.dropped.values())
