"""How commands about test schedules say no."""

from resolvers.refusals import ConflictRefusal, InputRefusal, PolicyRefusal
from resolvers.vocabulary import ErrorCode


class PurchaseOrderRequired(InputRefusal):
    """A purchase order is required for scheduling."""

    code = ErrorCode.PURCHASE_ORDER_REQUIRED


class EnforceTimesRequired(InputRefusal):
    """'enforceTimes' is required by this organization."""

    code = ErrorCode.ENFORCE_TIMES_REQUIRED


class OpenScheduleExists(ConflictRefusal):
    """The candidate has an open test schedule for this test."""

    code = ErrorCode.OPEN_SCHEDULE_EXISTS


class InvigilationRequiredByTest(PolicyRefusal):
    """The test requires invigilation. It cannot be scheduled without it."""

    code = ErrorCode.INVIGILATION_REQUIRED_BY_TEST
    setting = "requiresInvigilation"


class MultiDaySchedulingDisabled(PolicyRefusal):
    """A test schedule cannot extend over several days."""

    code = ErrorCode.MULTI_DAY_SCHEDULING_DISABLED
    setting = "testSchedulingOverMultipleDays"


class CentreSubjectNotAssociated(PolicyRefusal):
    """The centre is not associated with the test's subject."""

    code = ErrorCode.CENTRE_SUBJECT_NOT_ASSOCIATED


class CandidateNotAssociated(PolicyRefusal):
    """The candidate is not associated with the centre and the test's subject."""

    code = ErrorCode.CANDIDATE_NOT_ASSOCIATED


class MarkerNotEnabled(PolicyRefusal):
    """The test does not allow markers."""

    code = ErrorCode.MARKER_NOT_ENABLED
    setting = "allowsMarkers"


class ModeratorNotEnabled(PolicyRefusal):
    """The test does not allow moderators."""

    code = ErrorCode.MODERATOR_NOT_ENABLED
    setting = "allowsModerators"
