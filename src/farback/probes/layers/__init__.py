"""The recurrent layers that PyTorch fuses, taken apart: one file a kind, and how it is replayed."""
