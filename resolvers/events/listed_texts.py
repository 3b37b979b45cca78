"""Texts of events whose values an organization can list in its settings."""

from collections.abc import Sequence

from resolvers import checks
from resolvers.events.refusals import InvalidBillingCode, InvalidExamFormat, InvalidExamType
from resolvers.refusals import InputRefusal
from resolvers.storage.tables import Organization
from resolvers.texts import folded, normalized
from resolvers.values import frozen


@frozen
class ListedText:
    """A column of events, the setting that lists its values, and the refusal of another value."""

    column: str
    setting: str
    invalid: type[InputRefusal]

    def read(self, text: str, settings: Organization, *path: str) -> str:
        """Return the value in the setting's spelling; any text if the setting lists none.

        Raises: the refusal `invalid`.
        """
        text = normalized(text)
        allowed: Sequence[str] = getattr(settings, self.setting)
        known = {folded(value): value for value in allowed}
        fits = text and len(text) <= checks.TEXT and checks.can_be_kept(text)
        if not fits or (known and folded(text) not in known):
            refusal = self.invalid(*path)
            refusal.allowed_values = tuple(allowed) or None
            raise refusal
        return known.get(folded(text), text)


EXAM_TYPE = ListedText("exam_type", "exam_types", InvalidExamType)
EXAM_FORMAT = ListedText("exam_format", "exam_formats", InvalidExamFormat)
BILLING_CODE = ListedText("billing_code", "billing_codes", InvalidBillingCode)
LISTED_TEXTS = (EXAM_TYPE, EXAM_FORMAT, BILLING_CODE)
