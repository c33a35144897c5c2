"""From settings to a fleet and those who look after it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from gateway.clock import Clock
from gateway.upstream import tls
from gateway.upstream.endpoint import Endpoint, parse
from gateway.upstream.fleet import Fleet
from gateway.upstream.load import OthersLoad
from gateway.upstream.probes import Probes
from gateway.upstream.settings import TlsSettings, UpstreamSettings
from gateway.upstream.triton import TritonHttp


@dataclass(frozen=True, slots=True)
class Upstreams:
    """Everything at the far side of one gateway process.

    tritons: one for each member of the fleet, in the settings' order. probes, others: their run()
    is to go on as long as the gateway does.
    """

    settings: UpstreamSettings
    fleet: Fleet
    tritons: tuple[TritonHttp, ...]
    probes: Probes
    others: OthersLoad

    def renew(self) -> None:
        """Read the gateway's own certificate for Triton again, if it has one. Raises TailqError."""
        made = next((one.endpoint.tls for one in self.tritons if one.endpoint.tls), None)
        if made is not None and self.settings.tls is not None:
            tls.renew(made, self.settings.tls)

    def close(self) -> None:
        """Close every connection."""
        for triton in self.tritons:
            triton.close()
        self.others.close()


def connect(
    settings: UpstreamSettings,
    service_s: Mapping[str, float],
    clock: Clock,
    random: Callable[[], float],
    siblings: Callable[[], tuple[int, float]] = lambda: (0, 0.0),
) -> Upstreams:
    """Put the parts together; no connection is opened yet.

    service_s: device-seconds of one request of each variant, 0 where not known. random: uniform on
    [0, 1), for backoffs. siblings: see OthersLoad. Raises TailqError if the settings' certificates
    cannot be used.
    """
    tritons = tuple(
        TritonHttp(one, clock, connect_s=settings.connect_s, max_reply=settings.max_reply)
        for one in _endpoints(settings)
    )
    fleet = Fleet(tritons, service_s, clock, random)
    metrics = tuple(
        None if one.metrics is None else TritonHttp(Endpoint(*parse(one.metrics)[1:]), clock)
        for one in settings.endpoints
    )
    others = OthersLoad(fleet, metrics, siblings)
    return Upstreams(settings, fleet, tritons, Probes(fleet, tritons), others)


def _endpoints(settings: UpstreamSettings) -> list[Endpoint]:
    chosen = settings.tls or TlsSettings()
    parsed = [parse(one.http) for one in settings.endpoints]
    context = tls.context(chosen) if any(secure for secure, _, _ in parsed) else None
    return [
        Endpoint(host, port, context, chosen.server_name) if secure else Endpoint(host, port)
        for secure, host, port in parsed
    ]
