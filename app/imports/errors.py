"""Why a file as a whole cannot be imported."""

from typing import Literal

#: Refused by a rule; took too long, or too much memory; the process that read it broke off.
Reason = Literal["file", "time", "memory", "broken"]


class Unreadable(ValueError):
    """A file or its declaration is refused; the message is a sentence for people, in Chinese and English."""

    def __init__(self, message: str, reason: Reason = "file") -> None:
        super().__init__(message)
        self.reason = reason
