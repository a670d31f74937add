"""Every fused layer, options crossed, against autograd through an independent loop (float64)."""

import itertools
from collections import defaultdict

import pytest
import torch
from torch import nn

import farback as fb
from farback.probes import _fused_call
from farback.probes._records import Record
from farback.testing import unroll

T, B, IN, H = 40, 3, 4, 5
KINDS = {
    "rnn_tanh": (nn.RNN, {}),
    "rnn_relu": (nn.RNN, {"nonlinearity": "relu"}),
    "lstm": (nn.LSTM, {}),
    "lstm_proj": (nn.LSTM, {"proj_size": 3}),
    "gru": (nn.GRU, {}),
}


@pytest.fixture
def caught(monkeypatch):
    """The adjoints themselves, and the sums of the weight gradient's summands."""
    adjoints: dict[str, dict] = defaultdict(dict)
    sums: dict[int, torch.Tensor] = {}
    note = Record.take_adjoint

    def take_adjoint(self, clock, adjoint, blocks, valid, *, draws=slice(None)):
        plain = adjoint.mantissa * torch.exp2(adjoint.exponent.clamp(-1000).double())[..., None]
        whole = plain.new_zeros(len(plain), self.shape[0], *plain.shape[2:])
        whole[:, draws] = plain  # the other loss times sleep: their error has not come yet
        for step, value in zip(clock, whole, strict=True):
            adjoints[self.name][int(step)] = value
        note(self, clock, adjoint, blocks, valid, draws=draws)

    norms = _fused_call.summand_norms

    def summand_norms(errors, exponent, carried):
        plain = errors * torch.exp2(exponent.clamp(-1000).double())[..., None]
        total = torch.einsum("skbg,sbv->gv", plain, carried)
        key = (len(sums_order), tuple(total.shape))
        sums_order.append(key)
        sums[len(sums_order) - 1] = total
        return norms(errors, exponent, carried)

    sums_order: list = []
    monkeypatch.setattr(Record, "take_adjoint", take_adjoint)
    monkeypatch.setattr(_fused_call, "summand_norms", summand_norms)
    return adjoints, sums


def made(kind, **options):
    torch.manual_seed(1)
    cls, own = KINDS[kind]
    return cls(IN, H, **own, **options).double()


OPTIONS = [
    {"num_layers": layers, "bidirectional": both, "batch_first": first, "bias": bias}
    for layers, both, first, bias in itertools.product(
        (1, 2), (False, True), (False, True), (False, True)
    )
]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("options", OPTIONS, ids=lambda o: "-".join(map(str, o.values())))
def test_adjoints_equal_autograd_through_a_loop(kind, options, caught):
    layer = made(kind, **options)
    x = torch.randn(T, B, IN, dtype=torch.float64)
    weights = torch.randn(
        T, B, layer(x if not layer.batch_first else x.transpose(0, 1))[0].shape[-1]
    ).double()
    times = [0, 11, T - 1]

    def loss(output, target):
        output = output.transpose(0, 1) if layer.batch_first else output
        return (weights * output.sin()).sum()

    given = x.transpose(0, 1) if layer.batch_first else x
    fb.probe(layer, (given, None), loss=loss, loss_times=times)
    adjoints, _ = caught
    reference = unroll(layer, x)
    for k, t in enumerate(times):
        expected = reference.adjoints((weights[t] * reference.output[t].sin()).sum())
        for (number, d), wanted in expected.items():
            name = f"{type(layer).__name__}.l{number}{'.reverse' if d else ''}"
            ours = torch.stack([adjoints[name][s][k] for s in range(T)])
            assert (ours - wanted).norm() <= 1e-10 * wanted.norm()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("both", [False, True])
def test_summands_over_all_lags_and_loss_times_sum_to_the_gradient(kind, both, caught):
    layer = made(kind, num_layers=2, bidirectional=both, batch_first=True)
    x = torch.randn(B, T, IN, dtype=torch.float64)
    fb.probe(layer, x, loss=lambda y, _: y.square().sum(), loss_times=range(T))
    output, _ = layer(x)
    output.square().sum().backward()
    ours: dict = defaultdict(float)
    _, sums = caught
    weights = ["weight_hh", "weight_ih", "weight_hr"][: 3 if layer.proj_size else 2]
    order = []  # the sweep goes from the top layer down, forward before reverse
    for number in (1, 0):
        for suffix in ("", "_reverse")[: 1 + both]:
            order += [f"{weight}_l{number}{suffix}" for weight in weights]
    blocks = len(sums) // len(order)
    for place, total in sums.items():
        run, inside = divmod(place, len(weights) * blocks)
        ours[order[len(weights) * run + inside % len(weights)]] += total
    for name in order:
        wanted = getattr(layer, name).grad
        assert (ours[name] - wanted).norm() <= 1e-10 * wanted.norm()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("both", [False, True])
def test_packed_rows_equal_each_row_alone(kind, both, caught):
    layer = made(kind, num_layers=2, bidirectional=both)
    lengths = [7, 12, 3]
    rows = [torch.randn(n, IN, dtype=torch.float64) for n in lengths]
    packed = nn.utils.rnn.pack_sequence(rows, enforce_sorted=False)
    order = packed.sorted_indices.tolist()

    def loss(output, _):
        padded, held = nn.utils.rnn.pad_packed_sequence(
            nn.utils.rnn.PackedSequence(
                output, packed.batch_sizes, packed.sorted_indices, packed.unsorted_indices
            )
        )
        return sum(padded[n - 1, b].sin().sum() for b, n in enumerate(held.tolist()))

    fb.probe(layer, (packed, None), loss=loss, loss_times=[-1])
    adjoints, _ = caught
    for place, b in enumerate(order):
        n = lengths[b]
        reference = unroll(layer, rows[b].unsqueeze(1))
        expected = reference.adjoints(reference.output[-1].sin().sum())
        for (number, d), wanted in expected.items():
            name = f"{type(layer).__name__}.l{number}{'.reverse' if d else ''}"
            ours = torch.stack([adjoints[name][max(lengths) - n + s][0, place] for s in range(n)])
            assert (ours - wanted[:, 0]).norm() <= 1e-10 * wanted.norm()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("first", [False, True])
def test_a_chunk_changes_no_number(kind, first):
    layer = made(kind, num_layers=2, batch_first=first)
    x = torch.randn(B, T, IN, dtype=torch.float64)
    x = x if first else x.transpose(0, 1)
    whole = fb.probe(layer, x)["adjoint_decay"].log_norm
    chunked = fb.probe(layer, x, chunk=7)["adjoint_decay"].log_norm
    torch.testing.assert_close(torch.tensor(whole), torch.tensor(chunked), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("kind", KINDS)
def test_a_given_start_and_an_unbatched_input_are_read(kind, caught):
    layer = made(kind, num_layers=2)
    x = torch.randn(T, IN, dtype=torch.float64)
    widths = [layer.proj_size or H, H] if isinstance(layer, nn.LSTM) else [H]
    start = [torch.randn(2, w, dtype=torch.float64) for w in widths]
    hx = tuple(start) if len(start) > 1 else start[0]
    fb.probe(layer, ((x, hx), None), loss=lambda y, _: y[-1].sum())
    adjoints, _ = caught
    reference = unroll(layer, x.unsqueeze(1), [s.unsqueeze(1) for s in start])
    for (number, _), wanted in reference.adjoints(reference.output[-1].sum()).items():
        ours = torch.stack([adjoints[f"{type(layer).__name__}.l{number}"][s][0] for s in range(T)])
        assert (ours - wanted).norm() <= 1e-10 * wanted.norm()


@pytest.mark.parametrize("kind", KINDS)
def test_a_loss_on_the_final_states_enters_at_the_last_step(kind, caught):
    layer = made(kind, num_layers=2, batch_first=True)
    x = torch.randn(B, T, IN, dtype=torch.float64)

    class Last(nn.Module):
        def __init__(self):
            super().__init__()
            self.rnn = layer

        def forward(self, x):
            final = self.rnn(x)[1]
            return torch.cat([s[0] for s in (final if isinstance(final, tuple) else (final,))], -1)

    fb.probe(Last(), x, loss=lambda y, _: y.cos().sum())
    adjoints, _ = caught
    reference = unroll(layer, x.transpose(0, 1))
    expected = reference.adjoints(reference.states[0, 0][-1].cos().sum())
    ours = torch.stack([adjoints["rnn.l0"][s][0] for s in range(T)])
    assert (ours - expected[0, 0]).norm() <= 1e-10 * expected[0, 0].norm()
