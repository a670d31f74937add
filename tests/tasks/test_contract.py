"""Every task of the catalogue keeps the contract, whoever wrote it."""

import pytest

from farback import tasks
from farback.testing import check_task


@pytest.mark.parametrize("name", dir(tasks))
def test_a_task_keeps_its_contract(name: str) -> None:
    check_task(getattr(tasks, name)())
