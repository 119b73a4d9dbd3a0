"""The one error of filters."""

from collections.abc import Iterable


class FilterError(ValueError):
    """A filter that is refused: the message says by which rule, in Chinese and English.

    ``property`` names the property or function at fault, ``allowed`` what would be right, ``position`` the character
    of the text (from 1), each where known.
    """

    def __init__(
        self,
        zh: str,
        en: str,
        *,
        property: str | None = None,
        allowed: Iterable[str] | None = None,
        position: int | None = None,
    ) -> None:
        self.property = property
        self.allowed = None if allowed is None else list(allowed)
        self.position = position
        where = "" if position is None else f"（第 {position} 个字符 at character {position}）"
        super().__init__(f"{zh} {en}{where}")
