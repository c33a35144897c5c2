"""`tailq-gateway --check`: what would be served, without a port opened."""

from collections.abc import Iterator

from gateway.probes import samples
from gateway.reload.parts import Served
from gateway.serving.server import address, is_loopback
from gateway.settings import Settings
from gateway.settings.model import ListenTlsSettings
from gateway.tls import flaw


def report(settings: Settings, served: Served) -> Iterator[str]:
    """Line by line. Raises TailqError if a file that settings name is no good."""
    listen, table = settings.listen, served.table
    yield f"service   {table.service}, tiers from {settings.tiers}"
    yield f"REST      {_listener(listen.host, listen.http_port)}"
    yield f"gRPC      {_listener(listen.host, listen.grpc)}"
    yield f"TLS       {_tls(listen.tls)}"
    yield f"admin     {_listener(listen.admin_host, listen.admin)}"
    yield f"workers   {listen.workers}"
    yield f"Triton    {', '.join(one.http for one in settings.upstream.endpoints)}"
    clients = settings.clients
    anonymous = "served" if clients.without_key is not None else "refused"
    yield f"clients   {len(clients.named)} with keys; without a key: {anonymous}"
    places = settings.admission.places or table.conditions.max_outstanding
    yield f"places    {places} at each Triton"
    late = "abandoned" if settings.limits.at_deadline == "abandon" else "cancelled"
    yield f"late work {late}"
    probes = settings.probes
    if probes.file is not None:
        count = len(samples.read(probes.file, table).labels)
        yield f"probes    {count} samples from {probes.file}, {probes.per_s:g} a second"
    for tier in table.tiers:
        default = ", default" if tier.name == table.default else ""
        for promise in tier.promises:
            yield (
                f"tier      {tier.name}{default}: {promise.quality:.4g} within "
                f"{promise.deadline_s * 1000:g} ms by {promise.plan}"
            )

    for line in cautions(settings, served):
        yield f"warning   {line}"


def cautions(settings: Settings, served: Served) -> Iterator[str]:
    """What can be served, but is hardly meant."""
    listen = settings.listen
    if listen.tls is None:
        if settings.clients.named and not is_loopback(listen.host):
            yield (
                f"clients' keys cross the network in the clear: [listen] host is {listen.host} "
                "without TLS; set [listen.tls], or listen on loopback behind something that has it"
            )
    elif served.pem is not None and (said := flaw(served.pem, listen.tls)):
        yield said


def _tls(secure: ListenTlsSettings | None) -> str:
    if secure is None:
        return "none: REST and gRPC are in the clear"
    clients = "clients need none"
    if secure.client_ca is not None:
        clients = f"clients need one of {secure.client_ca}"
    return f"certificate {secure.certificate}; {clients}"


def _listener(host: str, port: int) -> str:
    return address(host, port) if port else f"{host}, a free port"
