"""One file per noun.  Models hold facts; what to do about them is decided in `rules` and done in the verbs."""

from .account import Account
from .audit import AuditEntry
from .balance import BalanceHour
from .budget import Budget, BudgetWarning
from .bulk import BulkItem, BulkStop
from .cost import BooksProof, CostHour
from .cost_report import CostReport
from .message import Message, MessageAccess, MessageLog
from .names import UpstreamName
from .permission import FloorPermission
from .saved_view import SavedView
from .screenshot import Screenshot
from .session import AgentSession, SessionDetail
from .snapshot import Snapshot, Step
from .stop import StopAttempt, StopRequest
from .upkeep import UpkeepPass
from .words import SessionWords

__all__ = [
    "Account",
    "AgentSession",
    "AuditEntry",
    "BalanceHour",
    "BooksProof",
    "Budget",
    "BudgetWarning",
    "BulkItem",
    "BulkStop",
    "CostHour",
    "CostReport",
    "FloorPermission",
    "Message",
    "MessageAccess",
    "MessageLog",
    "SavedView",
    "Screenshot",
    "SessionDetail",
    "SessionWords",
    "Snapshot",
    "Step",
    "StopAttempt",
    "StopRequest",
    "UpkeepPass",
    "UpstreamName",
]
