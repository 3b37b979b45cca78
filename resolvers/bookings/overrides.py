"""Rules that a caller sets aside on purpose: asked for, permitted, and recorded when used."""

from collections.abc import Iterable

from resolvers.outcomes import Warning
from resolvers.refusals import PermissionRefusal, ValidationErrors
from resolvers.viewer import Viewer
from resolvers.vocabulary import Permission, RuleOverride

NEEDS = {
    RuleOverride.CAPACITY: Permission.OVERRIDE_CAPACITY,
    RuleOverride.CANDIDATE_TIME_CONFLICT: Permission.OVERRIDE_CONFLICT,
    RuleOverride.REGISTRATION_WINDOW: Permission.MANAGE_EVENTS,
}


class Overrides:
    """What was asked for, and what of it was needed."""

    def __init__(self, asked_for: Iterable[RuleOverride]) -> None:
        self._asked_for = frozenset(asked_for)
        self.used: list[RuleOverride] = []

    def __contains__(self, rule: RuleOverride) -> bool:
        return rule in self._asked_for

    def set_aside(self, rule: RuleOverride, code: str, message: str) -> Warning:
        """Note that a rule was set aside; the warning that says so."""
        self.used.append(rule)
        return Warning(code, message, ("overrides",))


def check_overrides(
    viewer: Viewer, asked_for: Iterable[RuleOverride], stage: ValidationErrors
) -> Overrides:
    """The overrides that were asked for; each that the viewer may not use is a complaint."""
    for position, rule in enumerate(asked_for):
        if not viewer.may(NEEDS[rule]):
            stage.add(PermissionRefusal("overrides", str(position), required=NEEDS[rule]))
    return Overrides(asked_for)
