"""What each remedy keeps in memory, and for how long: the rates that its equations promise."""

import math

import pytest
import torch
from torch import Tensor, nn
from torch.func import jacrev
from torch.nn.utils.parametrizations import orthogonal

from farback import cells
from farback.cells import squashings
from farback.cells._cell import Cell
from farback.types import Params

IDENTITY = squashings.Identity()


def fresh(cell: Cell, inputs: int = 2, outputs: int = 1) -> Params:
    return cell.parameters(torch.Generator().manual_seed(0), inputs, outputs)


def states(cell: Cell, params: Params, xs: Tensor) -> list[Tensor]:
    found = [cell.start(params)]
    for x in xs:
        found.append(cell.step(params, found[-1], x))
    return found[1:]


def inputs(steps: int, width: int = 2) -> Tensor:
    generator = torch.Generator().manual_seed(1)
    return torch.randn(steps, width, generator=generator, dtype=torch.float64)


def jacobian(cell: Cell, params: Params, state: Tensor, x: Tensor) -> Tensor:
    return jacrev(lambda it: cell.step(params, it, x))(state)


def test_the_error_of_a_tdnn_ends_where_its_window_does() -> None:
    cell = cells.TDNN(hidden=3, delays=4)
    params = fresh(cell)

    def last(xs: Tensor) -> Tensor:
        return cell.read(params, states(cell, params, xs)[-1], xs[-1])

    by_step = jacrev(last)(inputs(9)).abs().amax((0, 2))
    assert (by_step[:4] == 0).all() and (by_step[4:] > 0).all()


def test_the_error_of_attention_ends_where_its_window_does_and_fades_at_no_rate() -> None:
    cell = cells.Attention(hidden=3, window=5)
    params = fresh(cell)

    def last(xs: Tensor) -> Tensor:
        return cell.read(params, states(cell, params, xs)[-1], xs[-1])

    by_step = jacrev(last)(inputs(9)).abs().amax((0, 2))
    assert (by_step[:4] == 0).all() and (by_step[4:] > 0.001).all()


@pytest.mark.parametrize("gates", [(False, False), (True, False), (False, True), (True, True)])
def test_a_carousel_passes_its_own_error_on_by_exactly_one(gates: tuple[bool, bool]) -> None:
    cell = cells.Carousel(hidden=3, input_gate=gates[0], output_gate=gates[1])
    found = jacobian(cell, fresh(cell), inputs(1, 6)[0], inputs(1)[0])
    torch.testing.assert_close(found[3:, 3:], torch.eye(3, dtype=torch.float64))


def test_a_carousel_with_both_gates_is_the_lstm_of_1997() -> None:
    ours = cells.Carousel(hidden=3, input_gate=True, output_gate=True)
    theirs = cells.LSTM1997(blocks=3, cell_bias=True, truncated=False)
    params = fresh(ours)
    hidden = torch.cat([params["cells"], torch.zeros(9, 6, dtype=torch.float64)], 1)
    gates, cell = params["bias"].split([6, 3])
    of_1997 = {"hidden": hidden, "gate_bias": gates, "cell_bias": cell, "readout": hidden[:1, :3]}
    xs = inputs(12)
    for mine, its in zip(states(ours, params, xs), states(theirs, of_1997, xs), strict=True):
        torch.testing.assert_close(mine, torch.cat([its[3:6], its[:3]]))


@pytest.mark.parametrize(
    ("cell", "periods"),
    [
        (cells.Clockwork(hidden=6, groups=3), (1, 1, 2, 2, 4, 4)),
        (cells.Multiscale(hidden=6, scales=3), (1, 1, 2, 2, 4, 4)),
    ],
    ids=repr,
)
def test_slow_units_change_once_a_period(cell: Cell, periods: tuple[int, ...]) -> None:
    params = fresh(cell)
    found = torch.stack([cell.start(params), *states(cell, params, inputs(8))])[:, :6]
    changed = (found[1:] != found[:-1]).T
    expected = [[t % period == 0 for t in range(8)] for period in periods]
    assert changed.tolist() == expected


def test_a_slow_unit_that_waits_passes_its_error_on_by_exactly_one() -> None:
    for cell in (cells.Clockwork(hidden=2, groups=2), cells.Multiscale(hidden=2, scales=2)):
        params = fresh(cell)
        state = torch.cat([inputs(1)[0], torch.ones(1, dtype=torch.float64)])
        found = jacobian(cell, params, state, inputs(1)[0])
        torch.testing.assert_close(found[1, :2], torch.tensor([0.0, 1.0], dtype=torch.float64))


def test_fast_units_of_a_clockwork_are_not_heard_by_slow_ones() -> None:
    cell = cells.Clockwork(hidden=4, groups=2)
    found = jacobian(cell, fresh(cell), cell.start(fresh(cell)), inputs(1)[0])
    assert (found[2:4, :2] == 0).all() and (found[:2, :4] != 0).all()


@pytest.mark.parametrize("delays", [1, 3, 6])
def test_narx_and_delayed_units_multiply_the_reach_and_keep_the_rate(delays: int) -> None:
    """With all weight on the last delay the error passes one squashing in D steps."""
    cell = cells.NARX(hidden=1, output_delays=delays)
    params = fresh(cell, inputs=1)
    seen = torch.zeros_like(params["hidden"])
    seen[0, -1] = 1.0
    zero = torch.zeros(1, dtype=torch.float64)
    one = {"hidden": seen, "hidden_bias": zero, "output": zero.new_full((1, 1), 0.8)}
    params = one | {"output_bias": zero}
    steps = 4 * delays
    through = jacrev(lambda it: run(cell, params, it, zero.expand(steps, 1)))(cell.start(params))
    assert float(through[0, 0]) == pytest.approx(0.8**4)


def run(cell: Cell, params: Params, state: Tensor, xs: Tensor) -> Tensor:
    for x in xs:
        state = cell.step(params, state, x)
    return state


def test_delayed_hidden_units_with_one_delay_are_elmans() -> None:
    cell = cells.DelayedHidden(hidden=3, delays=1)
    elman = cells.Elman(hidden=3, squashing=squashings.Tanh(), hidden_bias=True, reset=0.0)
    params = fresh(cell)
    theirs = {
        "hidden": torch.cat([params["input"], params["state"]], 1),
        "hidden_bias": params["bias"],
    }
    xs = inputs(5)
    for t, mine in enumerate(states(cell, params, xs), 1):
        torch.testing.assert_close(mine, run(elman, theirs, xs.new_zeros(3), xs[:t]))


def test_a_second_order_net_can_be_an_automaton() -> None:
    """Large weights make each symbol's matrix a table of transitions: here parity."""
    cell = cells.SecondOrder(hidden=1)
    stay, swap = torch.eye(2), torch.eye(2).flip(0)
    weights = 40 * torch.stack([stay, swap], -1).double() - 20
    symbols = torch.tensor([1, 0, 1, 1, 0, 1, 0])
    xs = torch.nn.functional.one_hot(symbols, 2).double()
    found = [float(it[0]) for it in states(cell, {"weights": weights}, xs)]
    assert [it > 0.5 for it in found] == [n % 2 == 0 for n in symbols.cumsum(0).tolist()]


def test_far_from_every_place_a_radial_basis_net_passes_no_error() -> None:
    cell = cells.RadialBasis(hidden=3, places=4, spread=0.2)
    params = fresh(cell)
    near, far = inputs(1, 3)[0] * 0 + 0.5, inputs(1, 3)[0] * 0 + 9.0
    size = [float(jacobian(cell, params, it, inputs(1)[0] * 0).abs().max()) for it in (near, far)]
    assert size[0] > 1e-6 and size[1] < 1e-100


def test_gamma_memory_with_mu_1_is_a_time_delay_net() -> None:
    gamma, tdnn = cells.GammaMemory(hidden=3, taps=4, mu=1.0), cells.TDNN(hidden=3, delays=4)
    params = fresh(gamma)
    theirs = {("window" if name == "taps" else name): it for name, it in params.items()}
    xs = inputs(8)
    for ours, expected in zip(states(gamma, params, xs), states(tdnn, theirs, xs), strict=True):
        torch.testing.assert_close(ours, expected)


def test_gamma_memory_keeps_an_input_as_the_gamma_density_says() -> None:
    """m_k after one pulse is mu^k binom(t - 1, k - 1) (1 - mu)^(t - k), t steps behind it."""
    mu, cell = 0.3, cells.GammaMemory(hidden=1, taps=3, mu=0.3, learned=False)
    params = fresh(cell, inputs=1)
    pulse = torch.zeros(7, 1, dtype=torch.float64)
    pulse[0] = 1.0
    for t, state in enumerate(states(cell, params, pulse)):
        taps = [
            mu**k * math.comb(t - 1, k - 1) * (1 - mu) ** (t - k) for k in range(1, min(t, 3) + 1)
        ]
        expected = [float(t == 0), *taps, *[0.0] * (3 - len(taps))]
        torch.testing.assert_close(state[1:], torch.tensor(expected, dtype=torch.float64))


@pytest.mark.parametrize("learned", [False, True])
def test_time_constants_without_recurrent_weights_have_the_rate_ln_tau(learned: bool) -> None:
    tau = (0.5, 0.75, 0.95)
    cell = cells.TimeConstants(hidden=3, tau=tau, learned=learned, recurrent=False)
    found = jacobian(cell, fresh(cell), inputs(1, 3)[0], inputs(1)[0])
    torch.testing.assert_close(found, torch.tensor(tau, dtype=torch.float64).diag())


def test_mozers_net_for_the_gap_has_four_slow_units_of_ten() -> None:
    tau = cells.TimeConstants.multiscale().tau
    assert tau[:6] == (0.0,) * 6 and (tau[6], tau[-1]) == pytest.approx((0.75, 0.95))


def test_a_diagonal_linear_cell_has_the_rates_of_its_eigenvalues() -> None:
    cell = cells.LRU(hidden=4, shortest=0.5, longest=0.99)
    params = fresh(cell)
    turns = torch.linalg.eigvals(jacobian(cell, params, inputs(1, 8)[0], inputs(1)[0]))
    sizes = torch.exp(-torch.exp(params["nu"]))
    assert ((sizes > 0.5) & (sizes < 0.99)).all()
    expected = torch.cat([sizes, sizes]).sort().values
    torch.testing.assert_close(turns.abs().sort().values, expected)


def test_gamma_of_an_lru_keeps_the_variance_of_white_noise() -> None:
    params = fresh(cells.LRU(hidden=64))
    sizes = torch.exp(-torch.exp(params["nu"]))
    torch.testing.assert_close(torch.exp(params["log_gamma"]), torch.sqrt(1 - sizes**2))


def test_an_orthogonal_net_turns_and_its_rate_is_zero() -> None:
    cell = cells.Orthogonal(hidden=5, squashing=IDENTITY)
    turn = jacobian(cell, fresh(cell), inputs(1, 5)[0], inputs(1)[0])
    torch.testing.assert_close(turn @ turn.T, torch.eye(5, dtype=torch.float64))


def test_an_orthogonal_net_is_torchs_parametrisation_up_to_the_signs_of_columns() -> None:
    cell = cells.Orthogonal(hidden=5)
    params = fresh(cell)
    vectors = params["reflections"]
    layer = orthogonal(
        nn.Linear(5, 5, bias=False).double(),
        orthogonal_map="householder",
        use_trivialization=False,
    )
    layer.parametrizations.weight.original.data = (vectors / vectors.diagonal().unsqueeze(1)).T
    turn = jacrev(lambda it: cell.turned(params, it))(inputs(1, 5)[0])
    torch.testing.assert_close(turn.abs(), layer.weight.abs().detach())
    torch.testing.assert_close((turn * layer.weight).sum(0).abs(), turn.new_ones(5))


def test_an_irnn_starts_by_keeping_what_active_units_have() -> None:
    cell = cells.IRNN(hidden=3, scale=0.9)
    state = torch.ones(3, dtype=torch.float64)
    found = jacobian(cell, fresh(cell), state, inputs(1)[0])
    torch.testing.assert_close(found, 0.9 * torch.eye(3, dtype=torch.float64))


def test_independent_units_pass_no_error_to_each_other() -> None:
    cell = cells.IndRNN(hidden=4, squashing=IDENTITY)
    params = fresh(cell)
    found = jacobian(cell, params, inputs(1, 4)[0], inputs(1)[0])
    torch.testing.assert_close(found, params["loops"].diag())


@pytest.mark.parametrize("cell", [cells.MinGRU(hidden=3), cells.MinLSTM(hidden=3)], ids=repr)
def test_a_minimal_gated_unit_keeps_a_share_that_no_state_decides(cell: Cell) -> None:
    params, x = fresh(cell), inputs(1)[0]
    found = [jacobian(cell, params, state, x) for state in inputs(2, 3)]
    torch.testing.assert_close(found[0], found[1])
    kept = found[0].diagonal()
    torch.testing.assert_close(found[0], kept.diag())
    assert ((kept > 0) & (kept < 1)).all()


def test_short_steps_of_oscillators_leave_the_jacobian_near_the_identity() -> None:
    off = []
    for dt in (0.1, 0.01):
        cell = cells.CoRNN(hidden=3, dt=dt)
        found = jacobian(cell, fresh(cell), inputs(1, 6)[0], inputs(1)[0])
        off.append(float((found - torch.eye(6, dtype=torch.float64)).norm()))
    assert off[1] == pytest.approx(off[0] / 10, rel=0.15)


def test_a_twinn_stands_still_where_its_input_does() -> None:
    cell = cells.TWINN(hidden=3)
    params = fresh(cell)
    slow = inputs(4).repeat_interleave(3, 0)
    found = states(cell, params, slow)
    assert all(torch.equal(found[t], found[t - 1]) for t in range(12) if t % 3)
    quick = states(cell, params, inputs(4))
    torch.testing.assert_close(found[::3], quick)


def test_an_lstm_that_forgets_nothing_is_that_of_1997() -> None:
    """Blocks of size 1, candidate weights halved, s = 2 c; gates see no gates of 1997."""
    of_1997 = cells.LSTM1997(blocks=3, cell_bias=True, truncated=False)
    theirs = fresh(of_1997)
    n, i = 3, 2
    hidden, bias = theirs["hidden"].clone(), torch.cat([theirs["gate_bias"], theirs["cell_bias"]])
    hidden[:, i + n :] = 0  # the links from gates
    theirs = theirs | {"hidden": hidden}
    lstm = cells.LSTM(hidden=n, readout_squashing=squashings.Logistic())
    seen = hidden[:, : i + n]
    gates = torch.cat([seen[:n], 0 * seen[:n], seen[n : 2 * n], seen[2 * n :] / 2])
    forget = torch.full((n,), 800.0, dtype=torch.float64)
    biases = torch.cat([bias[:n], forget, bias[n : 2 * n], bias[2 * n :] / 2])
    ours = {"gates": gates, "bias": biases}
    xs = inputs(20)
    for mine, its in zip(states(lstm, ours, xs), states(of_1997, theirs, xs), strict=True):
        torch.testing.assert_close(2 * mine[n:], its[:n])
        torch.testing.assert_close(mine[:n], its[n : 2 * n])
