"""From settings to a fleet and those who look after it."""

import ssl
from collections.abc import Callable, Iterable, Iterator, Mapping

from gateway.clock import Clock
from gateway.pem import Pem, Renewable, renewable
from gateway.upstream import tls
from gateway.upstream.endpoint import Endpoint, parse
from gateway.upstream.fleet import Fleet
from gateway.upstream.load import OthersLoad
from gateway.upstream.member import Member
from gateway.upstream.probes import Probes
from gateway.upstream.settings import TlsSettings, UpstreamSettings
from gateway.upstream.triton import TritonHttp


class Upstreams:
    """Everything at the far side of one gateway process; no connection is opened before it is used.

    service_s: device-seconds of one request of each variant, 0 where not known. random: uniform on
    [0, 1), for backoffs. siblings: see OthersLoad. pem: what the files hold that the
    settings' `tls` names.

    settings: as last given. probes, others: their run() is to go on as long as the gateway does.
    """

    def __init__(
        self,
        settings: UpstreamSettings,
        service_s: Mapping[str, float],
        clock: Clock,
        random: Callable[[], float],
        siblings: Callable[[], tuple[int, float]] = lambda: (0, 0.0),
        pem: Pem | None = None,
    ) -> None:
        self.settings = settings
        self._pem = pem
        self._clock = clock
        self._context: Renewable | None = None
        self._open: tuple[TritonHttp, ...] = ()  # all that may have connections
        self.fleet = Fleet[TritonHttp](service_s, clock, random)
        self.probes = Probes(self.fleet)
        self.others = OthersLoad(self.fleet, siblings)
        self.change(settings, pem)

    def change(self, settings: UpstreamSettings, pem: Pem | None = None) -> None:
        """Ask these endpoints from now on (see Fleet.become), each by its TLS and its metrics.

        What is reached as before keeps all it has; with other settings of TLS an endpoint is
        another one, with other content of the files its new connections are by that. Of `settings`,
        the bounds count for endpoints that are new.
        """
        context = self._renewed(settings, pem)
        known = {_reached(one.triton.endpoint): one.triton for one in self.fleet.members}
        tritons = [
            known.get(_reached(endpoint)) or self._new(endpoint, settings)
            for endpoint in _endpoints(settings, context)
        ]
        members = self.fleet.become(tritons)
        self.others.watch(_metrics(members, settings))
        self.probes.follow()
        current = dict.fromkeys(one.triton for one in self.fleet.members)
        gone = (one for one in self._open if one not in current and not one.pool.empty)
        self._open = (*current, *gone)
        self.settings, self._pem, self._context = settings, pem, context

    def close(self) -> None:
        """Close every connection."""
        for triton in self._open:
            triton.close()
        self.others.close()

    def _renewed(self, settings: UpstreamSettings, pem: Pem | None) -> Renewable | None:
        """What https is reached by; None: there is none. Set as before it is the same one."""
        if not any(parse(one.http)[0] for one in settings.endpoints):
            return None
        chosen = settings.tls or TlsSettings()
        if self._context is None or chosen != (self.settings.tls or TlsSettings()):
            return renewable(tls.context(pem or Pem(), chosen))
        if pem != self._pem:
            self._context.present = tls.context(pem or Pem(), chosen)
        return self._context

    def _new(self, endpoint: Endpoint, settings: UpstreamSettings) -> TritonHttp:
        return TritonHttp(
            endpoint, self._clock, connect_s=settings.connect_s, max_reply=settings.max_reply
        )


def _reached(endpoint: Endpoint) -> tuple[Endpoint, ssl.SSLContext | None]:
    """What is the same where a connection would be."""
    return endpoint, endpoint.tls


def _endpoints(settings: UpstreamSettings, context: ssl.SSLContext | None) -> Iterator[Endpoint]:
    name = settings.tls.server_name if settings.tls is not None else None
    for one in settings.endpoints:
        secure, host, port = parse(one.http)
        yield Endpoint(host, port, context, name) if secure else Endpoint(host, port)


def _metrics(
    members: Iterable[Member[TritonHttp]], settings: UpstreamSettings
) -> Iterator[tuple[Member[TritonHttp], Endpoint]]:
    for member, one in zip(members, settings.endpoints, strict=True):
        if one.metrics is not None:
            yield member, Endpoint(*parse(one.metrics)[1:])
