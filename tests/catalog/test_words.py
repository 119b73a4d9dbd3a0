"""Every code that the data may hold has a name in both languages."""

from app.catalog import COLLECTIONS
from app.catalog.words import WORDS
from app.registers import REGISTERS


def test_every_code_has_words() -> None:
    fields = [field for one in (*COLLECTIONS.values(), *REGISTERS) for field in one.fields]
    codes = {code for field in fields for code in field.values}
    assert codes - WORDS.keys() == set()
    assert all(zh and en for zh, en in WORDS.values())
