"""The probe: a file for each kind of subject, and the verb that makes a profile of any."""

from ._probe import probe
from .saved_weights import probe_file
from .step_map import StepMap

__all__ = ["StepMap", "probe", "probe_file"]
