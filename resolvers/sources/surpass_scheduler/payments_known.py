"""Payment references: each is one payment's."""

from uuid import UUID

from resolvers.bookings import loading
from resolvers.refusals import AlreadyExists
from resolvers.sources.surpass_scheduler.payment_models import PaymentModel
from resolvers.storage.tables import Payment
from resolvers.storage.unit_of_work import UnitOfWork


def require_new_payment(
    work: UnitOfWork, organization_id: UUID, payment: PaymentModel, *path: str
) -> None:
    """Raises: AlreadyExists, if the reference is another booking's."""
    if payment.reference is None:
        return
    named = [(organization_id, payment.reference)]
    if loading.of_keys(work, Payment, "reference", named):
        raise AlreadyExists(*path, "paymentReference")
