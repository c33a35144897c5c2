"""Who may go to upstream now, who waits for a place, and for how long he will have to."""

from gateway.admission.admission import Admission
from gateway.admission.limit import Limit
from gateway.admission.ticket import Ticket, Waiter

__all__ = ["Admission", "Limit", "Ticket", "Waiter"]
