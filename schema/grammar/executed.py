"""The committed fields of a mutation that failed as a whole."""

from collections.abc import Sequence

from resolvers.values import frozen


@frozen
class ExecutedFields:
    """The response keys of a mutation's executed fields, in order.

    `interrupted` is the field that was being executed when the operation was cancelled.
    """

    fields: Sequence[str] = ()
    interrupted: str | None = None

    @property
    def extensions(self) -> dict[str, object]:
        """The machine-readable part of the error."""
        interrupted = {} if self.interrupted is None else {"interrupted": self.interrupted}
        return {"executed": list(self.fields), **interrupted}

    def __str__(self) -> str:
        if not self.fields and self.interrupted is None:
            return "Nothing was executed, and nothing was written."
        sentences = []
        if self.fields:
            named = ", ".join(self.fields)
            sentences.append(
                f"These fields were executed, and their writes are committed: {named}."
            )
        if self.interrupted is not None:
            sentences.append(
                f"The writes of {self.interrupted} may be committed: repeat it with the same"
                " idempotencyKey, or check first what was written."
            )
        return " ".join([*sentences, "Other fields of the mutation were not executed."])
