"""What a protocol is to the handler's thread: it turns entries into a body once, and sends that same body until it is in."""

from __future__ import annotations

from typing import List, NamedTuple, Protocol

from .entry import Entry


class Outcome(NamedTuple):
    #: Records the receiver refused one by one, and why; the others are stored.
    rejected: int
    reason: str


class RetryLater(Exception):
    """The receiver is away or busy; `after_seconds` is what it asked for, 0 when it said nothing."""

    def __init__(self, reason: str, after_seconds: float = 0.0) -> None:
        super().__init__(reason)
        self.after_seconds = after_seconds


class Refused(Exception):
    """The receiver will never take this body."""

    def __init__(self, reason: str, too_large: bool = False) -> None:
        super().__init__(reason)
        self.too_large = too_large


class Exporter(Protocol):
    def encode(self, entries: List[Entry]) -> bytes: ...

    def send(self, body: bytes, timeout_seconds: float) -> Outcome:
        """Raises `RetryLater` or `Refused`; returns once the receiver has confirmed."""

    def close(self) -> None: ...

    def forget(self) -> None:
        """After a fork, in the child: lets go of the parent's connection without a word to the receiver."""
