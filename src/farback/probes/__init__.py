"""The probe: a file for each kind of subject, and the verb that makes a profile of any."""

from ._probe import probe
from .laboratory_cell import LaboratoryCell
from .saved_weights import probe_file
from .step_map import StepMap

__all__ = ["LaboratoryCell", "StepMap", "probe", "probe_file"]
