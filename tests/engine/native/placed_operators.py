"""Operators that pick and put at known places, to be tried."""

import torch
from torch_in_c import LARGE, SMALL, SQUARE, smooth

TURNS = torch.tensor([[2, 0, 0, 4, 1], [1, 1, 3, 0, 2]])
PLACED = {
    "index_put": smooth(
        lambda x, y: [
            x[:, torch.tensor([2, 0, 0, -1])] ** 2,
            y[[4, 1, 4]] * y[0],
            y.index_put((torch.tensor([0, 2]),), y[1:3] * 2),
        ],
        SMALL,
        LARGE,
    ),
    "put": smooth(lambda x: x.take(torch.tensor([[3, 0], [3, 24]])) ** 2, SQUARE),
    "gather": smooth(lambda x: [x.gather(1, TURNS) ** 2, x.gather(0, TURNS) * x[:2]], SQUARE),
    "scatter": smooth(
        lambda x: [
            x.scatter(1, TURNS[:, 3:], (x * x)[:2, :2]),
            x.scatter(0, TURNS[:1], 0.5) * x,
            (x * 2).scatter(-1, TURNS[:, 3:], x[3:, :2]),
        ],
        SQUARE,
    ),
    "scatter_add": smooth(
        lambda x: [x.scatter_add(0, TURNS, x[:2] ** 2), x.scatter_add(1, TURNS, x[1:3]) ** 2],
        SQUARE,
    ),
}
