"""The native engine: C that is written for a trial, compiled where it runs, and called."""
