"""One file per noun.  Models hold facts; what to do about them is decided in `rules` and done in the verbs."""

from .account import Account
from .audit import AuditEntry
from .cost import CostHour
from .names import UpstreamName
from .permission import FloorPermission
from .screenshot import Screenshot
from .session import AgentSession, SessionDetail
from .snapshot import Snapshot, Step
from .stop import StopAttempt, StopRequest
from .upkeep import UpkeepPass

__all__ = [
    "Account",
    "AgentSession",
    "AuditEntry",
    "CostHour",
    "FloorPermission",
    "Screenshot",
    "SessionDetail",
    "Snapshot",
    "Step",
    "StopAttempt",
    "StopRequest",
    "UpkeepPass",
    "UpstreamName",
]
