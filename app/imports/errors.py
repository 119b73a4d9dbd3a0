"""Why a file as a whole cannot be imported."""


class Unreadable(ValueError):
    """A file or its declaration is refused; the message is a sentence for people, in Chinese and English."""
