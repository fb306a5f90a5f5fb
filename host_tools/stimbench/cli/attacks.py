"""`stimbench attacks`."""

from __future__ import annotations

import difflib
import time
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from stimbench.cli.common import JsonOption, err, out, print_json
from stimbench.errors import EXIT_CHECK_FAILED, InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stimbench.attacks import Attack, Result

__all__ = ("attacks",)

_BOARDS = ("stimulator", "remote")


def attacks(
    listed: Annotated[
        bool, typer.Option("--list", help="Say what each attack is, and who tries it. Carries out none.")
    ] = False,
    only: Annotated[
        list[str] | None,
        typer.Option(
            "--only",
            metavar="NAME",
            help="This attack alone; say it again for more. A part of the name will do, if no other has it.",
        ),
    ] = None,
    share: Annotated[
        float,
        typer.Option(
            min=0.0001, max=1.0, help="Of each attack's full number of tries; never fewer than make sense."
        ),
    ] = 0.01,
    seed: Annotated[int, typer.Option(min=0, help="Of everything: the same seed gives the same run.")] = 1,
    as_json: JsonOption = False,
) -> None:
    """Try what the radio protocol says cannot be done, and count. Exits 1 if an attack succeeds.

    Each says what it counted. 0 successes is what must hold: docs/attacks.md. What is known to succeed is
    carried out only if --only names it. Ctrl-C shows what was done.
    """
    # Imported here: --help needs neither the firmware nor the emulator.
    from stimbench.attacks import ATTACKS, SUCCEEDING

    known = (*ATTACKS, *SUCCEEDING) if listed or only else ATTACKS
    chosen = _chosen(known, only or [])
    if listed:
        _list(chosen, as_json)
        return
    chosen, left_out = _possible(chosen, bool(only))
    done: list[tuple[Attack, Result, float]] = []
    interrupted = False
    try:
        for number, attack in enumerate(chosen, 1):
            began_s = time.monotonic()
            with err.status(f"{number} of {len(chosen)}: {attack.name}"):
                result = attack.run(attack.share(share), seed)
            done.append((attack, result, time.monotonic() - began_s))
            if not as_json:
                _say(result, done[-1][2])
    except KeyboardInterrupt:
        interrupted = True
    succeeded = [result for _, result, _ in done if result.successes]
    if as_json:
        print_json(_document(done, left_out, len(chosen), seed))
    else:
        _sum_up(done, succeeded, left_out, len(chosen))
    if interrupted:
        raise KeyboardInterrupt
    if succeeded:
        raise typer.Exit(EXIT_CHECK_FAILED)


def _chosen(known: Sequence[Attack], names: list[str]) -> list[Attack]:
    """Those that are named, in the order of the list; all, if none is.

    Raises:
        InputError: a name is no attack's, or several attacks'.
    """
    wanted = [_named(known, name) for name in names]
    return [attack for attack in known if not names or attack in wanted]


def _named(known: Sequence[Attack], name: str) -> Attack:
    plain = name.lower().replace("-", " ").replace("_", " ").strip()
    exact = [attack for attack in known if attack.name.lower().replace("-", " ") == plain]
    found = exact or [attack for attack in known if plain and plain in attack.name.lower().replace("-", " ")]
    if len(found) == 1:
        return found[0]
    names = [attack.name for attack in found or known]
    if found:
        raise InputError(f"{name!r} is part of the names of several attacks: {', '.join(names)}.")
    near = difflib.get_close_matches(plain, names, n=3, cutoff=0.4)
    meant = f" Did you mean {' or '.join(near)}?" if near else ""
    raise InputError(f"There is no attack {name!r}.{meant} stimbench attacks --list names them.")


def _possible(chosen: list[Attack], asked_for: bool) -> tuple[list[Attack], list[str]]:
    """Those that can be carried out here, and the names of the others: they need the firmware's images.

    Raises:
        InputError: one that was asked for by name needs them, and they are not there.
    """
    from stimbench.project import image_path

    missing = [board for board in _BOARDS if not image_path(board).is_file()]
    left_out = [attack.name for attack in chosen if attack.on_bench and missing]
    if left_out and asked_for:
        raise InputError(
            f"{left_out[0]} runs on the emulated bench, and the firmware of the {missing[0]} is not built: "
            "python -m stimbench.firmware_build builds it."
        )
    return [attack for attack in chosen if attack.name not in left_out], left_out


# What is printed.


def _list(chosen: list[Attack], as_json: bool) -> None:
    if as_json:
        print_json([_described(attack) for attack in chosen])
        return
    from stimbench.attacks import SUCCEEDING

    for attack in chosen:
        known = " - known to succeed: docs/attacks.md" if attack in SUCCEEDING else ""
        out.print(f"[bold]{attack.name}[/]{known}", soft_wrap=True)
        for title, text in (("", attack.what), ("who: ", attack.who), ("success: ", attack.success)):
            out.print(f"  {title}{text}", markup=False, soft_wrap=True)
        where = ", on the emulated bench" if attack.on_bench else ""
        out.print(f"  {attack.tries:,} tries in full{where}", markup=False, soft_wrap=True)
    out.print("\nstimbench attacks carries them out, each with a hundredth of its tries.", markup=False)


def _say(result: Result, took_s: float) -> None:
    """A line for an attack that was carried out."""
    verdict = f"[bold red]{result.successes:,} SUCCEEDED[/]" if result.successes else "[green]0 succeeded[/]"
    out.print(f"{result.name}: {result.tries:,} tries, {verdict} ({took_s:.1f} s)", soft_wrap=True)
    out.print(f"  {result.detail}", markup=False, soft_wrap=True, style="dim")


def _sum_up(
    done: list[tuple[Attack, Result, float]], succeeded: list[Result], left_out: list[str], of: int
) -> None:
    if succeeded:
        table = Table(title="Attacks that succeeded", title_justify="left")
        for column in ("attack", "tries", "successes"):
            table.add_column(column, justify="left" if column == "attack" else "right")
        for result in succeeded:
            table.add_row(result.name, f"{result.tries:,}", f"{result.successes:,}")
        out.print(table)
    told = f"{len(done)} of {of} attacks carried out, {len(succeeded)} succeeded."
    out.print(f"[bold]{told}[/]")
    if left_out:
        names = ", ".join(left_out)
        out.print(f"Left out, because the firmware is not built: {names}.", markup=False, soft_wrap=True)


def _document(
    done: list[tuple[Attack, Result, float]], left_out: list[str], of: int, seed: int
) -> dict[str, Any]:
    return {
        "seed": seed,
        "attacks": [
            {
                **_described(attack),
                "tries": result.tries,
                "successes": result.successes,
                "detail": result.detail,
                "seconds": round(took_s, 2),
            }
            for attack, result, took_s in done
        ],
        "not_carried_out": of - len(done),
        "left_out": left_out,
        "holds": not any(result.successes for _, result, _ in done),
    }


def _described(attack: Attack) -> dict[str, Any]:
    return {
        "name": attack.name,
        "what": attack.what,
        "who": attack.who,
        "success": attack.success,
        "full_tries": attack.tries,
        "on_bench": attack.on_bench,
    }
