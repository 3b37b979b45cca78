"""Whether a report points into the document that it is about."""

import json
import re
from typing import Any

from resolvers.sources.importing import import_document
from resolvers.sources.report import Report
from resolvers.sources.rows import Format
from resolvers.storage import Storage

STEP = re.compile(r'\.([A-Za-z_]\w*)|\[(\d+)\]|\[("(?:[^"\\]|\\.)*")\]')


async def imported(storage: Storage, format: Format, document: Any, **options: Any) -> Report:
    """Import a document. Every reason and warning stands at a member of it, sent or missing."""
    report = await import_document(storage, format, document, **options)
    for row in report.rows:
        for note in (*row.reasons, *row.warnings):
            assert _has(document, _steps(note.path)[:-1]), note
    return report


def _steps(path: str) -> list[str]:
    found = [plain or index or json.loads(quoted) for plain, index, quoted in STEP.findall(path)]
    assert path == "$" or found, path
    return found


def _has(document: Any, steps: list[str]) -> bool:
    """Names count in any case, as sources write them."""
    for step in steps:
        if isinstance(document, list):
            if int(step) >= len(document):
                return False
            document = document[int(step)]
            continue
        members = document if isinstance(document, dict) else {}
        alike = [value for name, value in members.items() if name.lower() == step.lower()]
        if not alike:
            return False
        document = alike[0]
    return True
