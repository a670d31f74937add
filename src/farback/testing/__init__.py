"""What outsiders and farback's own tests hold their work against.

Slow, obvious references, and contracts that every member of a room keeps as it is.
"""

from ._contract import ContractBroken
from .check_cell import check_cell
from .check_gradient import check_gradient
from .check_learner import check_learner
from .check_task import check_task
from .check_update import check_update
from .fingerprint import fingerprint
from .recursions1997 import recursions1997
from .unrolled import Unrolled, unroll

__all__ = [
    "ContractBroken",
    "Unrolled",
    "check_cell",
    "check_gradient",
    "check_learner",
    "check_task",
    "check_update",
    "fingerprint",
    "recursions1997",
    "unroll",
]
