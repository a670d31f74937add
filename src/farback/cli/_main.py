"""The border of the command line: every way in which a verb can end, and its exit code."""

from __future__ import annotations

import os
import platform
import sys
import tempfile
import traceback
from collections.abc import Sequence
from textwrap import shorten

import click

from ..errors import FarbackError, Stopped
from ._verbs import Verbs

STOPPED = 130
INTERNAL = 4
PIPE_CLOSED = 141  # as a shell reports a process that SIGPIPE ended


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one verb and return its exit code.

    Args:
        arguments: the words after `farback`; None takes those of the process.
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    try:
        code = _run(words)
        sys.stdout.flush()
        return code
    except BrokenPipeError:
        # The reader (head, less) has enough; the interpreter's own last flush must not complain.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return PIPE_CLOSED


def _run(words: list[str]) -> int:
    verbs = Verbs(name="farback")
    try:
        # Not verbs.main, which ends a closed pipe and a stopped verb in ways of its own.
        with verbs.make_context("farback", [*words], obj=words) as context:
            verbs.invoke(context)
        return 0
    except click.exceptions.Exit as done:
        return done.exit_code
    except click.exceptions.NoArgsIsHelpError as nothing:
        click.echo(nothing.format_message(), err=True)
        return nothing.exit_code
    except click.ClickException as wrong:
        click.echo(f"farback: {_sentence(wrong)}", err=True)
        return 2
    except FarbackError as refusal:
        click.echo(f"farback: {refusal}", err=True)
        return refusal.exit_code
    except Stopped as stopped:
        click.echo(f"farback: {stopped}", err=True)
        return STOPPED
    except (KeyboardInterrupt, click.Abort):
        click.echo("farback: stopped.", err=True)
        return STOPPED
    except BrokenPipeError:
        raise
    except Exception as error:
        click.echo(f"farback: {_farewell(error, words)}", err=True)
        return INTERNAL


def _sentence(wrong: click.ClickException) -> str:
    """Click's message, with the help to ask for."""
    message = wrong.format_message().strip()
    context = getattr(wrong, "ctx", None)
    path = context.command_path if context else "farback"
    return f"{message if message.endswith(('.', '?', '!')) else message + '.'} Try {path} --help."


def _farewell(error: Exception, words: list[str]) -> str:
    """Leave what a maintainer needs in a file, and say where."""
    from .. import __version__

    raised = shorten("".join(traceback.format_exception_only(error)), 200)
    story = (
        f"farback {__version__}, Python {platform.python_version()}, {platform.platform()}\n"
        f"farback {' '.join(words)}\n\n{''.join(traceback.format_exception(error))}"
    )
    with tempfile.NamedTemporaryFile(
        "w", prefix="farback-", suffix=".txt", delete=False, encoding="utf-8"
    ) as file:
        file.write(story)
    return (
        f"this is a fault in farback itself ({raised}); please attach {file.name} to your report."
    )
