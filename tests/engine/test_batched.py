"""A function mapped by the reference engine gives what it gives unmapped."""

import pytest
import torch

from farback.engine.reference import batched
from farback.errors import InputRefused


def test_a_tensor_given_twice_is_two_arguments() -> None:
    minus = batched(lambda a, b: a - 2 * b, (0, 0))
    one, other = torch.ones(3), torch.full((3,), 5.0)
    assert minus(one, one).tolist() == [-1.0] * 3
    assert minus(one, other).tolist() == [-9.0] * 3


def test_a_function_whose_control_flow_looks_at_numbers_is_refused() -> None:
    branching = batched(lambda a: a if a > 0 else -a, (0,))
    with pytest.raises(InputRefused, match="control flow looks at no number"):
        branching(torch.ones(3))
