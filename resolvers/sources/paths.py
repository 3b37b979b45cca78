"""Where something stands in a document, as JSONPath writes it."""

import json
import re
from collections.abc import Sequence

PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def json_path(steps: Sequence[str]) -> str:
    """Names and indexes from the document's root on: `$.bookedStudents[1]["enrolmentIds[]"]`."""
    return "$" + "".join(_step(step) for step in steps)


def _step(step: str) -> str:
    if step.isascii() and step.isdigit():
        return f"[{step}]"
    return f".{step}" if PLAIN.fullmatch(step) else f"[{json.dumps(step)}]"
