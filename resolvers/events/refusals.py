"""Refusals of an event's texts: the named messages of `[002]`, word for word."""

from resolvers.refusals import InputRefusal
from resolvers.vocabulary import ErrorCode


class InvalidExamType(InputRefusal):
    """Invalid EventExamType value."""

    code = ErrorCode.INVALID_EVENT_EXAM_TYPE


class InvalidExamFormat(InputRefusal):
    """Invalid EventExamFormat value."""

    code = ErrorCode.INVALID_EVENT_EXAM_FORMAT


class InvalidBillingCode(InputRefusal):
    """Invalid EventBillingCode value."""

    code = ErrorCode.INVALID_EVENT_BILLING_CODE
