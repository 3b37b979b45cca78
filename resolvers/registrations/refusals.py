"""How commands about registrations say no: the named messages of `[002]`, word for word."""

from resolvers.refusals import ConflictRefusal, InputRefusal, NotFoundRefusal, StateRefusal
from resolvers.vocabulary import ErrorCode


class RegistrationNotFound(NotFoundRefusal):
    """Registration not found."""

    code = ErrorCode.REGISTRATION_NOT_FOUND

    def __init__(self, *path: str, object_type: str, identifier: str | None = None) -> None:
        del object_type  # whatever was found there: it is not a registration
        super().__init__(*path, object_type="Registration", identifier=identifier)

    @property
    def message(self) -> str:
        return "Registration not found."


class LearnerNotFound(NotFoundRefusal):
    """Learner not found."""

    code = ErrorCode.LEARNER_NOT_FOUND
    http_status = 400

    @property
    def message(self) -> str:
        return "Learner not found."


class VenueNotFound(NotFoundRefusal):
    """Venue not found."""

    code = ErrorCode.VENUE_NOT_FOUND
    http_status = 400

    @property
    def message(self) -> str:
        return "Venue not found."


class AssessmentFormNotFound(NotFoundRefusal):
    """Assessment form not found."""

    code = ErrorCode.ASSESSMENT_FORM_NOT_FOUND
    http_status = 400

    @property
    def message(self) -> str:
        return "Assessment form not found."


class RegistrationAlreadyExists(ConflictRefusal):
    """Registration already exists. You cannot add a new registration with the same identifier."""

    code = ErrorCode.REGISTRATION_ALREADY_EXISTS


class ExamTypeNotSpecified(InputRefusal):
    """EventExamType not specified."""

    code = ErrorCode.EVENT_EXAM_TYPE_NOT_SPECIFIED


class ExamFormatNotSpecified(InputRefusal):
    """EventExamFormat not specified."""

    code = ErrorCode.EVENT_EXAM_FORMAT_NOT_SPECIFIED


class BillingCodeNotSpecified(InputRefusal):
    """EventBillingCode not specified."""

    code = ErrorCode.EVENT_BILLING_CODE_NOT_SPECIFIED


class InvalidStartTime(InputRefusal):
    """Invalid EventStartTime value."""

    code = ErrorCode.INVALID_EVENT_START_TIME


class NoAssessmentForm(StateRefusal):
    """Registration has no assessment form."""

    code = ErrorCode.REGISTRATION_HAS_NO_ASSESSMENT_FORM


class NotTheLearner(InputRefusal):
    """Learner does not belong to registration."""

    code = ErrorCode.LEARNER_DOES_NOT_BELONG_TO_REGISTRATION


class AlreadyAtEvent(StateRefusal):
    """Registration already assigned to event."""

    code = ErrorCode.REGISTRATION_ALREADY_ASSIGNED_TO_EVENT


class AssessmentAlreadyAssigned(StateRefusal):
    """Assessment already assigned to registration."""

    code = ErrorCode.ASSESSMENT_ALREADY_ASSIGNED
