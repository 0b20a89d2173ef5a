"""`shared.model_faults`: what is said of data that does not fit."""

import pytest
from pydantic import BaseModel, ValidationError, field_validator

from shared.model_faults import dotted, first_fault, told


class Inner(BaseModel):
    secret: int

    @field_validator("secret")
    @classmethod
    def _small(cls, value: int) -> int:
        if value > 9:
            raise ValueError("is not small")
        return value


class Outer(BaseModel):
    inner: list[Inner]


@pytest.mark.parametrize(
    ("value", "said"), [(77, "is not small"), ("x7x", "Input should be a valid integer")]
)
def test_the_first_fault_is_told_without_the_value(value: object, said: str) -> None:
    with pytest.raises(ValidationError) as raised:
        Outer.model_validate({"inner": [{"secret": value}]})
    path, message = first_fault(raised.value)
    assert dotted(path) == "inner.0.secret"
    assert message.startswith(said)
    assert str(value) not in message
    assert told(raised.value) == f"inner.0.secret: {message}"
