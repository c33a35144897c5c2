"""The parts of one gateway process, put together. Nothing runs here yet: see serving/."""

import logging
import random
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as installed_version

from fastapi import FastAPI

from gateway.account import Account
from gateway.admission import Admission
from gateway.clients import Clients
from gateway.clients.gcra import Cell
from gateway.clients.settings import ClientsSettings
from gateway.clock import Clock
from gateway.dataplane import Dataplane
from gateway.fingerprint import Fingerprints
from gateway.live.feedback import Feedback
from gateway.live.live import Live
from gateway.live.metrics import Metrics, Views
from gateway.logs import RequestLog
from gateway.pem import Pem
from gateway.probes import samples
from gateway.probes.prober import Prober
from gateway.probes.samples import Samples
from gateway.reading import AnswerReader
from gateway.rest import app as rest_app
from gateway.rest.shared import Rest
from gateway.service import Service
from gateway.settings import Settings
from gateway.upstream.connect import Upstreams
from gateway.upstream.fleet import Fleet
from gateway.upstream.readiness import Readiness
from gateway.upstream.triton import TritonHttp
from tailq.errors import ArtefactError
from tailq.outlook import Outlook
from tailq.route import Router
from tailq.tier import TierTable

log = logging.getLogger("tailq.gateway")


class Availability(Readiness):
    """Readiness, and whether the gateway itself is about to end. leaving: it is."""

    leaving = False

    async def not_ready(self) -> str | None:
        """See Readiness."""
        return "the gateway is about to end" if self.leaving else await super().not_ready()


def _own(_name: str) -> Cell:
    return [0.0]


@dataclass(frozen=True, slots=True)
class Shared:
    """What a process may share with its siblings. cell: where a client's quota is counted."""

    account: Account | None = None
    cell: Callable[[str], Cell] = _own


@dataclass(frozen=True, slots=True)
class Gateway:
    """The parts of one gateway that others look at."""

    settings: Settings
    shared: Shared
    service: Service
    rest: Rest
    account: Account
    admission: Admission
    upstreams: Upstreams
    fingerprints: Fingerprints
    readiness: Availability
    metrics: Metrics
    live: Live
    prober: Prober | None
    application: FastAPI

    @property
    def table(self) -> TierTable:
        """The tiers at present."""
        return self.service.table

    def retable(self, table: TierTable) -> None:
        """Serve these tiers from now on; requests in flight end as was decided for them."""
        seconds = service_s(table)
        self.upstreams.fleet.serve(seconds)
        self.account.know(seconds)
        self.metrics.reload(table)
        self.fingerprints.expect(table.conditions.fingerprint)
        self.readiness.refer(table.reference.variant)
        dataplane = self.service.dataplane
        dataplane.read = read = AnswerReader(table.served, self.settings.upstream.max_reply)
        self.live.reload(table, read.many)
        dataplane.router = Router(table, Outlook(table.served, dataplane.router.outlook))
        self.admission.resize(_places(self.settings, table))
        self.look()
        self.rest.reload()

    def read_samples(self, table: TierTable) -> Samples | None:
        """What is in the file of probes now, if it fits these tiers. Takes a while."""
        if self.settings.probes.file is None:
            return None
        try:
            return samples.read(self.settings.probes.file, table)
        except ArtefactError as error:
            log.warning("probes pause until there are others: %s", error)
            return None

    def reprobe(self, found: Samples | None) -> None:
        """Probe the tiers at present, with these."""
        if self.prober is not None:
            self.prober.serve(self.table, found)

    def reclient(self, clients: ClientsSettings) -> None:
        """Know these clients from now on."""
        self.service.clients = Clients(clients, self.service.clients, self.shared.cell)
        self.rest.reload()

    def look(self) -> None:
        """What nobody tells of its own accord; to be called every second."""
        self.admission.scale(self.upstreams.fleet.endpoints)
        self.service.dataplane.foreign = self.fingerprints.foreign

    def close(self) -> None:
        """Close every connection to Triton."""
        self.upstreams.close()


def assemble(
    table: TierTable,
    settings: Settings,
    clock: Clock,
    shared: Shared | None = None,
    upstream_pem: Pem | None = None,
) -> Gateway:
    """Put the parts together. Raises TailqError if a file that settings name is no good.

    upstream_pem: of TLS to Triton.
    """
    shared = shared or Shared()
    account = shared.account or Account({})
    seconds = service_s(table)
    account.know(seconds)
    upstreams = Upstreams(
        settings.upstream, seconds, clock, random.random, account.others, upstream_pem
    )
    account.others = upstreams.others
    fleet = upstreams.fleet
    admission = Admission(
        account,
        clock,
        places=_places(settings, table),
        waiting=settings.admission.waiting,
    )
    fingerprints = Fingerprints(fleet, table.conditions.fingerprint)
    metrics = Metrics(
        table,
        _views(account, admission, fleet, fingerprints, lambda: service),
        (
            lambda: live.points(),
            lambda: () if service.feedback is None else service.feedback.points(),
            lambda: () if prober is None else prober.points(),
        ),
    )
    read = AnswerReader(table.served, settings.upstream.max_reply)
    live = Live(table, read.many, metrics)
    dataplane = Dataplane(
        Router(table),
        fleet,
        clock,
        live,
        settings.dataplane,
        account=account,
        admission=admission,
        read=read,
    )
    limits = settings.limits
    service = Service(dataplane, max_body=limits.max_body, max_buffered=limits.buffered)
    service.clients = Clients(settings.clients, None, shared.cell)
    service.requests = RequestLog(settings.log.requests_per_s)
    if settings.feedback.remember:
        feedback = Feedback(live, service.made, settings.feedback.remember)
        service.feedback, live.remember = feedback, feedback.remember
    readiness = Availability(fleet, upstreams.probes, table.reference.variant)
    prober = _prober(settings, dataplane, fleet, live)
    rest = Rest(service)
    return Gateway(
        settings=settings,
        shared=shared,
        service=service,
        rest=rest,
        account=account,
        admission=admission,
        upstreams=upstreams,
        fingerprints=fingerprints,
        readiness=readiness,
        metrics=metrics,
        live=live,
        prober=prober,
        application=rest_app.build(rest, readiness, version()),
    )


def _prober(
    settings: Settings, plane: Dataplane, fleet: Fleet[TritonHttp], live: Live
) -> Prober | None:
    """Raises ArtefactError if the samples are no good."""
    if settings.probes.file is None:
        return None
    return Prober(
        samples.read(settings.probes.file, plane.router.table),
        plane,
        live,
        settings.probes.per_s / settings.listen.workers,
        random.Random(),  # noqa: S311  (nobody gains by foreseeing it)
        lambda: not fleet.absent and any(one.is_up for one in fleet.members),
    )


def _places(settings: Settings, table: TierTable) -> int:
    """Requests at each Triton at once: as many as were profiled, unless the settings say."""
    return settings.admission.places or table.conditions.max_outstanding


def service_s(table: TierTable) -> dict[str, float]:
    """Device-seconds of a request by each variant that may be asked; 0: not known."""
    served = table.served
    return {
        name: served[name].service_s if name in served else 0.0 for name in sorted(table.variants)
    }


def _views(
    account: Account,
    admission: Admission,
    fleet: Fleet[TritonHttp],
    fingerprints: Fingerprints,
    service: Callable[[], Service],
) -> Views:
    def refusals() -> dict[tuple[str, str], float]:
        known = service().clients
        if known is None:
            return {}
        counts: dict[tuple[str, str], float] = {("", "key"): known.unknown}
        for name, standing in known.standings:
            counts.update({(name, why): count for why, count in standing.refused.items()})
        return counts

    def admitted() -> dict[str, float]:
        known = service().clients
        standings = () if known is None else known.standings
        return {name: standing.admitted for name, standing in standings}

    def ejections() -> dict[tuple[str, str], float]:
        return {
            (endpoint, variant): count
            for endpoint, ejected in fleet.ejected.items()
            for variant, count in ejected.items()
        }

    def corrections() -> dict[str, float]:
        router, now = service().dataplane.router, service().dataplane.clock.now()
        return {
            name: router.outlook.correction(name, now)
            for name, served in router.table.served.items()
            if served.under_load is not None
        }

    return Views(
        in_flight=lambda: account.in_flight,
        outstanding_s=lambda: account.own_s,
        others=account.others,
        waiting=lambda: admission.waiting,
        drain=lambda: admission.drain,
        limits=lambda: admission.limits,
        corrections=corrections,
        absent=lambda: {name: name in fleet.absent for name in fleet.service_s},
        up=lambda: {one.name: one.is_up for one in fleet.members if one.is_up is not None},
        matches=lambda: {
            name: name not in fingerprints.foreign
            for name in service().table.conditions.fingerprint
        },
        ejected=lambda: {
            one.name: not one.admits for one in fleet.members if one.is_up is not None
        },
        ejections=ejections,
        retries=lambda: fleet.retried,
        admitted=admitted,
        refusals=refusals,
    )


def version() -> str:
    """Of the installed distribution."""
    try:
        return installed_version("tailq")
    except PackageNotFoundError:
        return "0"
