"""Random functions have torch's numbers and gradients in C."""

import pytest
from random_graphs import Drawn
from torch_in_c import LANES, Kernels, check, traced, with_gradient

TOGETHER = 40


@pytest.mark.slow
@pytest.mark.parametrize("first", range(0, 120, TOGETHER))
def test_random_functions_have_the_numbers_and_gradients_of_torch(first: int, quick: None) -> None:
    drawn = {str(seed): Drawn(seed) for seed in range(first, first + TOGETHER)}
    functions = {name: with_gradient(it) if int(name) % 2 else it for name, it in drawn.items()}
    kernels = Kernels({name: traced(functions[name], it.given(0)) for name, it in drawn.items()})
    for name, graph in drawn.items():
        check(kernels, name, functions[name], [graph.given(seed) for seed in range(LANES)])
