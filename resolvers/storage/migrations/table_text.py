"""The parts of a CREATE TABLE statement, as SQLite keeps it."""

from collections.abc import Iterator
from dataclasses import dataclass

CONSTRAINT_WORDS = {"CONSTRAINT", "PRIMARY", "UNIQUE", "CHECK", "FOREIGN"}
QUOTES = {"'": "'", '"': '"', "`": "`", "[": "]"}


@dataclass
class TableText:
    """The definitions of a table's columns by name, and of its constraints.

    A constraint without a name is known by its own text. `options` is what follows the closing
    parenthesis, such as STRICT.
    """

    columns: dict[str, str]
    constraints: dict[str, str]
    options: str = ""

    @classmethod
    def read(cls, sql: str) -> "TableText":
        """Parse a statement that SQLite has accepted."""
        opened, closed = sql.index("("), sql.rindex(")")
        read = cls({}, {}, sql[closed + 1 :].strip())
        for part in _split(sql[opened + 1 : closed]):
            words = part.split(" ", 2)
            if words[0].upper() not in CONSTRAINT_WORDS:
                read.columns[_bare(words[0])] = part
            elif words[0].upper() == "CONSTRAINT":
                read.constraints[_bare(words[1])] = part
            else:
                read.constraints[part] = part
        return read

    def statement(self, name: str) -> str:
        """The CREATE TABLE statement for a table with these parts, under any name."""
        parts = ",\n\t".join([*self.columns.values(), *self.constraints.values()])
        return f"CREATE TABLE {name} (\n\t{parts}\n) {self.options}".rstrip()


def _split(body: str) -> Iterator[str]:
    """The parts between commas that are in no parentheses and no quotes, in single spaces."""
    part, depth, quote = "", 0, ""
    for character in body:
        if quote:
            quote = "" if character == quote else quote
        elif character in QUOTES:
            quote = QUOTES[character]
        elif character in "()":
            depth += 1 if character == "(" else -1
        elif character == "," and depth == 0:
            yield part.strip()
            part = ""
            continue
        elif character.isspace():
            character = "" if part.endswith(" ") else " "
        part += character
    yield part.strip()


def _bare(name: str) -> str:
    return name.strip('"`[]')
