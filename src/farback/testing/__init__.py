"""What outsiders and farback's own tests hold their work against: slow, obvious references."""

from .fingerprint import fingerprint
from .unrolled import Unrolled, unroll

__all__ = ["Unrolled", "fingerprint", "unroll"]
