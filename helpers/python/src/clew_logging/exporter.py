"""A protocol as the handler's thread sees it: it encodes entries once, and sends the same bytes until they are stored."""

from __future__ import annotations

from typing import List, NamedTuple, Protocol

from .entry import Entry


class Outcome(NamedTuple):
    #: Records that the receiver rejected one by one, and why; the others are stored.
    rejected: int
    reason: str


class RetryLater(Exception):
    """The receiver is unreachable or busy. `after_seconds` is the pause it asked for, 0 when it named none."""

    def __init__(self, reason: str, after_seconds: float = 0.0) -> None:
        super().__init__(reason)
        self.after_seconds = after_seconds


class Refused(Exception):
    """The receiver will never accept this body."""

    def __init__(self, reason: str, too_large: bool = False) -> None:
        super().__init__(reason)
        self.too_large = too_large


class Exporter(Protocol):
    def encode(self, entries: List[Entry]) -> bytes: ...

    def send(self, body: bytes, timeout_seconds: float) -> Outcome:
        """Returns once the receiver has confirmed; raises `RetryLater` or `Refused`."""

    def close(self) -> None: ...

    def forget(self) -> None:
        """In the child after a fork: drops the parent's connection without sending anything to the receiver."""
