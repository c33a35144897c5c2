"""The gRPC listener's certificate, and its renewal."""

from collections import deque
from typing import Any, cast

import grpc

from gateway.pem import Pem


class Credentials:
    """server: credentials to add a port with. Each new connection is shown what was last given."""

    def __init__(self, pem: Pem) -> None:
        self._renewed: deque[grpc.ServerCertificateConfiguration] = deque(maxlen=1)
        self.server = grpc.dynamic_ssl_server_credentials(
            _configuration(pem),
            cast("Any", self._fetch),  # the stub does not know that it may be None
            require_client_authentication=pem.ca is not None,
        )

    def renew(self, pem: Pem) -> None:
        """Show this from now on; whether clients must show one stays as it is."""
        self._renewed.append(_configuration(pem))

    def _fetch(self) -> grpc.ServerCertificateConfiguration | None:
        """Called before every handshake, by threads of gRPC's. None: as before."""
        try:
            return self._renewed.pop()
        except IndexError:
            return None


def _configuration(pem: Pem) -> grpc.ServerCertificateConfiguration:
    return grpc.ssl_server_certificate_configuration(
        [(pem.key, pem.certificate)], root_certificates=pem.ca
    )
