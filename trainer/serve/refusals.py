"""What a client is told when it cannot be served: a status, the field at fault and one sentence."""

from collections.abc import Iterator
from contextlib import contextmanager

_LONGEST_FIELD = 40  # characters; a sentence with a later colon names no field


class Refusal(Exception):
    """Ends a request with an HTTP status and the OpenAI shape of an error."""

    def __init__(self, message: str, *, param: str | None = None, status: int = 400) -> None:
        super().__init__(message)
        self.message, self.param, self.status = message, param, status

    def to_json(self) -> dict:
        """{"error": {"message", "type", "param", "code"}}, as OpenAI's clients expect it."""
        kind = "invalid_request_error" if self.status < 500 else "server_error"
        return {"error": {"message": self.message, "type": kind, "param": self.param, "code": None}}


@contextmanager
def refusing(*, missing: str = "", status: int = 400) -> Iterator[None]:
    """Turn the ValueError of the functions called inside into a Refusal, and their LookupError into a 404
    about the field `missing`."""
    try:
        yield
    except ValueError as error:
        field, message = split_field(str(error))
        raise Refusal(message, param=field, status=status) from error
    except LookupError as error:
        if type(error) is not LookupError:  # a KeyError or an IndexError is a fault of ours
            raise
        raise Refusal(str(error), param=missing, status=404) from error


def split_field(sentence: str) -> tuple[str | None, str]:
    """("prompt", "It is too long.") out of "prompt: it is too long."."""
    field, colon, rest = sentence.partition(": ")
    if not colon or len(field) > _LONGEST_FIELD or "." in field:
        return None, sentence
    return field, rest[:1].upper() + rest[1:]
