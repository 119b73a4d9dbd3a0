"""Chinese in Latin letters. The dictionary, which takes a while to load, is loaded with the first word."""

from functools import cache
from types import ModuleType

#: Words of the plans whose characters have several readings, where the dictionary takes the wrong one.
PHRASES = {
    "长三角": [["cháng"], ["sān"], ["jiǎo"]],
    "支行": [["zhī"], ["háng"]],
    "药都": [["yào"], ["dū"]],
}


@cache
def _dictionary() -> ModuleType:
    import pypinyin

    pypinyin.load_phrases_dict(PHRASES)
    return pypinyin


def syllables(text: str) -> list[str]:
    """The pinyin of each character, without tones; what is not Chinese stays together as it is."""
    found: list[str] = _dictionary().lazy_pinyin(text)
    return found


def initials(text: str) -> list[str]:
    """The first letter of each character's pinyin."""
    dictionary = _dictionary()
    found: list[str] = dictionary.lazy_pinyin(text, style=dictionary.Style.FIRST_LETTER)
    return found
