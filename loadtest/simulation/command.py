"""`tailq-load simulate`: what would the gateway deliver, without a Triton and without waiting."""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from loadtest import rates
from loadtest.simulation import faults, report, samples
from loadtest.simulation.run import Setting, play
from tailq import artefact
from tailq import profile as profiles
from tailq.errors import TailqError
from tailq.tier import Served, TierTable


def simulate(
    tiers: Annotated[Path, typer.Option(help="The tier table the gateway would serve.")],
    profile: Annotated[
        Path | None,
        typer.Option(help="How variants really behave and answer; else as the table has it."),
    ] = None,
    rate: Annotated[
        list[str] | None, typer.Option(help="Requests a second of all tiers, or TIER=NUMBER.")
    ] = None,
    minutes: Annotated[float, typer.Option(min=0.01, max=100_000, help="Simulated.")] = 10.0,
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same run.")] = 0,
    fault: Annotated[
        list[str] | None,
        typer.Option(
            help="KIND@FROM-TO[:variant=NAME,endpoint=N,factor=N,share=N], in seconds; KIND is "
            "slow, stuck, gone, unloaded, dropped, broken, wrong, deaf or burst."
        ),
    ] = None,
    endpoints: Annotated[int, typer.Option(min=1, max=64, help="Tritons.")] = 1,
    json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
) -> None:
    """Run the gateway's dataplane in virtual time against a simulated Triton.

    Exit code 0: every promise was kept. 1: one was broken, or the gateway misbehaved (the report
    says how, and the seed reproduces it). 2: it could not be run.
    """
    table = artefact.read(tiers, TierTable)
    described = tuple(fault or ())
    setting = Setting(
        table=table,
        variants=_variants(table, tiers, profile),
        rates=rates.parse(rate or [], table),
        seconds=minutes * 60,
        seed=seed,
        answers=samples.UNTOLD if profile is None else samples.read(profile),
        faults=tuple(faults.parse(text, table.variants, endpoints) for text in described),
        endpoints=endpoints,
    )
    begun = time.perf_counter()
    simulated = report.of(setting, play(setting), described)
    took_s = time.perf_counter() - begun
    if json:
        print(simulated.model_dump_json(indent=2))
    else:
        Console().print(report.as_table(simulated, answers_known=profile is not None))
    console = Console(stderr=True)
    console.print(f"{minutes:g} minutes in {took_s:.1f} s; --seed {seed} gives the same run")
    for violation in simulated.violations:
        console.print(f"the gateway misbehaved: {violation}", style="red", markup=False)
    raise typer.Exit(0 if simulated.tiers.kept and not simulated.violations else 1)


def _variants(table: TierTable, tiers: Path, folder: Path | None) -> Mapping[str, Served]:
    """What each variant of the table really is. Raises TailqError where that is not known."""
    if folder is None:
        place, variants = tiers, dict(table.served)
    else:
        place = folder / profiles.FILE
        variants = {
            variant.name: Served(service_s=variant.service_s, under_load=variant.under_load)
            for variant in profiles.read(folder).variants
        }
    for name in sorted(table.variants):
        if name not in variants or variants[name].under_load is None:
            raise TailqError(
                f"{place}: knows no latency under load of {name}; measure a profile again, "
                "with several loads, and compile the tiers from it"
            )
    return {name: variants[name] for name in sorted(table.variants)}
