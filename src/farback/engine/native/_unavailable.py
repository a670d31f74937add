"""What is raised where the native engine cannot be had, so that the reference engine runs."""


class Unavailable(Exception):
    """One sentence that says why; whoever falls back quotes it."""
