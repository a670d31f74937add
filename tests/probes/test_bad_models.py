"""Models in wrappers, scripted, sharded, or using one module in several ways."""

import tempfile
import warnings
from pathlib import Path

import pytest
import torch
from torch import distributed, nn

import farback as fb
from farback.errors import InputRefused
from farback.probes._checks import checked_model

T, B, IN, H = 12, 3, 4, 5


class Reader(nn.Module):
    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.rnn = nn.LSTM(IN, H, batch_first=True)
        self.head = nn.Linear(H, 2)

    def forward(self, x):
        return self.head(self.rnn(x)[0])


class Cell(nn.Module):
    def __init__(self):
        super().__init__()
        self.x, self.h = nn.Linear(IN, H), nn.Linear(H, H)

    def forward(self, x, h):
        return (self.x(x) + self.h(h)).tanh()


class Looped(nn.Module):
    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.cell = Cell()

    def forward(self, x):
        h = x.new_zeros(len(x), H)
        for x_t in x.unbind(1):
            h = self.cell(x_t, h)
        return h


def sequence():
    return torch.randn(B, T, IN, generator=torch.Generator().manual_seed(1))


def log_norm(profile):
    return profile["adjoint_decay"].log_norm.tolist()


@pytest.fixture
def group():
    """A process group of one."""
    with tempfile.TemporaryDirectory() as folder:
        place = f"file://{Path(folder) / 'group'}"
        distributed.init_process_group("gloo", init_method=place, rank=0, world_size=1)
        yield
        distributed.destroy_process_group()


@pytest.mark.parametrize("model", [3, "text", lambda x: x, None])
def test_what_is_no_module_is_named_with_what_was_expected(model):
    with pytest.raises(InputRefused) as caught:
        checked_model(model)
    kind = type(model).__name__
    assert f"The model is a {kind}, and a torch.nn.Module or a StepMap was" in str(caught.value)


def test_a_class_in_place_of_an_instance_is_told_to_be_called():
    with pytest.raises(InputRefused, match=r"the class LSTM, .* try LSTM\(\.\.\.\)"):
        checked_model(nn.LSTM)


# Wrappers.


@pytest.mark.slow
@pytest.mark.parametrize("how", ["whole", "in place", "inner", "cell"])
def test_a_compiled_model_is_measured_by_its_own_code_and_that_is_said(how, probed):
    model, x = Looped() if how == "cell" else Reader(), sequence()
    plain = probed(model, x)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of torch's compiler as it loads
        if how == "whole":
            compiled = torch.compile(model)
        elif how == "in place":
            compiled = model
            compiled.compile()
        else:
            compiled = model
            name = "cell" if how == "cell" else "rnn"
            setattr(compiled, name, torch.compile(getattr(compiled, name)))
        profile = probed(compiled, x)
    assert log_norm(profile) == log_norm(plain)
    (note,) = (note for note in profile.notes if "compiled" in note)
    assert note == "The model is compiled (torch.compile); its own code was run instead."


def test_data_parallel_is_taken_off_and_that_is_said(probed):
    model, x = Reader(), sequence()
    profile = probed(nn.DataParallel(model), x)
    assert log_norm(profile) == log_norm(probed(model, x))
    assert profile.subject.startswith("Reader")
    assert any("inside torch.nn.DataParallel" in note for note in profile.notes)


def test_distributed_data_parallel_is_taken_off_and_that_is_said(group, probed):
    model, x = Reader(), sequence()
    plain = probed(model, x)
    profile = probed(nn.parallel.DistributedDataParallel(model), x)
    assert log_norm(profile) == log_norm(plain)
    assert any("inside DistributedDataParallel" in note for note in profile.notes)


@pytest.mark.slow
@pytest.mark.parametrize("version", [1, 2])
def test_sharded_weights_are_refused_with_the_reason(version, group):
    from torch.distributed import fsdp

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if version == 1:
            model = fsdp.FullyShardedDataParallel(Reader(), device_id=torch.device("cpu"))
        else:
            model = Reader()
            mesh = distributed.device_mesh.init_device_mesh("cpu", (1,))
            fsdp.fully_shard(model, mesh=mesh)
    with pytest.raises(InputRefused, match="is sharded over devices, and whole weights were"):
        fb.probe(model, sequence())


@pytest.mark.parametrize("how", ["script", "trace", "part"])
def test_torchscript_is_refused_with_a_recipe(how):
    model = Reader()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch.jit is deprecated
        if how == "part":
            model.head = torch.jit.script(model.head)
        else:
            model = (
                torch.jit.script(model) if how == "script" else torch.jit.trace(model, sequence())
            )
    with pytest.raises(InputRefused) as caught:
        fb.probe(model, sequence())
    text = str(caught.value)
    assert "is TorchScript, whose steps cannot be reached" in text
    assert "load_state_dict(scripted.state_dict())" in text
    assert ("head is" in text) == (how == "part")


# One module, used in several ways.


class Twice(nn.Module):
    """One cell for two chains of states, in step with each other."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.cell = nn.GRUCell(IN, H)

    def forward(self, x):
        one = two = None
        for x_t in x.unbind(1):
            one = self.cell(x_t, one)
            two = self.cell(-x_t, two)
        return one + 2 * two


class Once(Twice):
    def forward(self, x):
        state = None
        for x_t in x.unbind(1):
            state = self.cell(x_t, state)
        return state


def test_a_cell_used_twice_in_a_step_is_reported_for_each_use(probed):
    x = sequence()
    profile = probed(Twice(), x, loss=lambda y, _: y.sum())
    decay = profile["adjoint_decay"]
    assert profile["truncation"].steps is None
    assert set(decay.blocks) == {"cell", "cell#2"}
    one = probed(Once(), x, loss=lambda y, _: y.sum())["adjoint_decay"]
    two = probed(Once(), -x, loss=lambda y, _: 2 * y.sum())["adjoint_decay"]
    assert decay.blocks["cell"].log_norm.tolist() == pytest.approx(one.log_norm.tolist(), abs=1e-5)
    assert decay.blocks["cell#2"].log_norm.tolist() == pytest.approx(
        two.log_norm.tolist(), abs=1e-5
    )
    assert any("cell is used 2 times on the same steps" in note for note in profile.notes)


def test_two_calls_from_one_state_are_reported_for_each_call(probed):
    class Fork(Twice):
        def forward(self, x):
            state = x.new_zeros(len(x), H)
            for x_t in x.unbind(1):
                state = (self.cell(x_t, state) + self.cell(-x_t, state)) / 2
            return state

    x = sequence().double().requires_grad_()
    model = Fork().double()
    (gradient,) = torch.autograd.grad(model(x).sum(), x)
    profile = probed(model, x.detach(), loss=lambda y, _: y.sum())
    expected = gradient.norm(dim=-1).log().flip(1).quantile(0.5, dim=0)
    assert profile["input_sensitivity"].log_norm.tolist() == pytest.approx(
        expected.tolist(), abs=1e-10
    )
    assert set(profile["adjoint_decay"].blocks) == {"cell", "cell#2"}


def test_a_cell_called_twice_in_a_row_counts_its_lags_in_calls(probed):
    class Deep(Twice):
        def forward(self, x):
            state = None
            for x_t in x.unbind(1):
                state = self.cell(x_t, self.cell(x_t, state))
            return state

    profile = probed(Deep(), sequence())
    assert len(profile["adjoint_decay"].lags) == 2 * T
    assert (
        f"cell makes {2 * T} steps for the {T} of the batch: a lag counts its own steps."
        in profile.notes
    )


def test_a_fused_layer_called_twice_is_reported_for_each_call(probed):
    class Siamese(Reader):
        def forward(self, x):
            return self.rnn(x)[0] * self.rnn(-x)[0]

    profile = probed(Siamese(), sequence())
    assert {"rnn.l0", "rnn#2.l0"} <= set(profile["adjoint_decay"].blocks)


def test_a_tied_weight_counts_where_it_is_recurrent_and_nowhere_else(probed):
    def made(tied):
        model = Reader()
        model.head = nn.Linear(H, 4 * H, bias=False)
        weight = model.rnn.weight_hh_l0
        model.head.weight = weight if tied else nn.Parameter(weight.detach().clone())
        return model

    tied, free = (probed(made(tied), sequence()) for tied in (True, False))
    assert log_norm(tied) == log_norm(free)
    shares = [p["weight_gradient_by_lag"].far_share.tolist() for p in (tied, free)]
    assert shares[0] == shares[1]


def test_the_directions_of_a_bidirectional_layer_are_never_added(probed):
    model = nn.LSTM(IN, H, num_layers=2, bidirectional=True, batch_first=True)
    blocks = probed(model, sequence(), loss=lambda y, _: y[:, -1].sum())["adjoint_decay"].blocks
    assert {"LSTM.l0", "LSTM.l0.reverse", "LSTM.l1", "LSTM.l1.reverse"} <= set(blocks)
    # the last output sees the backward direction of the top layer after a single step
    assert blocks["LSTM.l1.reverse"].reach in (0, None)
    assert blocks["LSTM.l1"].reach > 3


def test_the_state_of_a_projected_layer_is_h_and_c_of_unlike_widths(probed):
    model = nn.LSTM(IN, 8, proj_size=4, num_layers=2, batch_first=True).double()
    blocks = probed(model, sequence().double())["adjoint_decay"].blocks
    assert {"LSTM.l0", "LSTM.l0:h", "LSTM.l0:c", "LSTM.l1", "LSTM.l1:h", "LSTM.l1:c"} <= set(blocks)
