"""The engines: how the plain functions of cells and tasks are run for many trials at once."""
