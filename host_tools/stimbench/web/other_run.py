"""The run that a page wants in place of the present one."""

from __future__ import annotations

from typing import Any

from stimbench.bench.actions import ActionError
from stimbench.web.run_file import Run, from_link
from stimbench.web.wire import RunVerb

__all__ = ("other_run",)

_BEFORE_NS = 1


def other_run(message: RunVerb, run: Run, marks: list[dict[str, Any]]) -> Run:
    """The run that a page wants instead of the present one.

    Raises:
        ActionError: there is no such mark or action.
        InputError: it is no link.
    """
    if message.verb == "open":
        return from_link(message.link)
    if message.verb == "new":
        return Run(config=run.config.model_copy(update={"seed": message.seed, "paired": message.paired}))
    if message.verb == "rewind":
        found = [one for one in marks if one["number"] == message.mark]
        if not found:
            raise ActionError(f"There is no mark {message.mark}.")
        until_ns = found[0]["t_ns"]
        kept = [one for one in run.actions if one[0] <= until_ns]
        return Run(config=run.config, actions=kept, until_ns=until_ns)
    if message.action >= len(run.actions):
        raise ActionError(f"There is no action {message.action}.")
    left_out_ns = run.actions[message.action][0]
    later = run.actions[message.action + 1 :] if message.keep_later else []
    kept = run.actions[: message.action] + later
    return Run(config=run.config, actions=kept, until_ns=max(0, left_out_ns - _BEFORE_NS))
