"""Rules that a caller overrides: requested, permitted, and recorded when used."""

from collections.abc import Iterable

from resolvers.outcomes import Warning
from resolvers.refusals import PermissionRefusal, ValidationErrors
from resolvers.viewer import Viewer
from resolvers.vocabulary import Permission, RuleOverride, WarningCode

NEEDS = {
    RuleOverride.CAPACITY: Permission.OVERRIDE_CAPACITY,
    RuleOverride.CANDIDATE_TIME_CONFLICT: Permission.OVERRIDE_CONFLICT,
    RuleOverride.REGISTRATION_WINDOW: Permission.MANAGE_EVENTS,
}


class Overrides:
    """The overrides that were requested, and those that were used."""

    def __init__(self, asked_for: Iterable[RuleOverride]) -> None:
        self._asked_for = frozenset(asked_for)
        self.used: list[RuleOverride] = []

    def __contains__(self, rule: RuleOverride) -> bool:
        return rule in self._asked_for

    def set_aside(self, rule: RuleOverride, code: WarningCode, message: str) -> Warning:
        """Record that a rule was overridden, and return the warning."""
        self.used.append(rule)
        return Warning(code, message, ("overrides",))


def check_overrides(
    viewer: Viewer, asked_for: Iterable[RuleOverride], stage: ValidationErrors
) -> Overrides:
    """Return the requested overrides; each one without its permission is refused."""
    for position, rule in enumerate(asked_for):
        if not viewer.may(NEEDS[rule]):
            stage.add(PermissionRefusal("overrides", str(position), required=NEEDS[rule]))
    return Overrides(asked_for)
