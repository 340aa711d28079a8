"""What can go wrong between us and Browser Use.  Callers catch the branch that they can handle.

UpstreamError
├── NotSent              refused, DNS, TLS, no free connection: nothing reached the vendor
│   └── OverBudget       we did not ask: the account's budget of requests is used up for now
├── Refused              the vendor said no (another 4xx): nothing happened
│   ├── Unauthorized     401, and 403 on a read: the key is not good
│   ├── PaymentRequired  402: no credits, or the key's spend limit
│   ├── Forbidden        403 on a write: the key may not do this
│   ├── NotFound         404, 410
│   ├── Conflict         409: perhaps it is so already; read, then decide
│   ├── Invalid          422, 400: asking again will not help
│   └── RateLimited      429, with `retry_after_s`
└── Unclear              no answer that could be used; a POST may have taken effect
    ├── ServerFault      5xx
    ├── TimedOut         the deadline passed
    ├── Disconnected     the connection broke before the answer was complete
    └── BadReply         HTML as 200, redirect, too large, broken or bombed encoding, broken JSON
"""

from typing import ClassVar


class UpstreamError(Exception):
    """A call that did not give what it was made for.

    `kind` is a short slug for logs and columns, `words` says to people what it means and what to do,
    `may_have_happened` is True when the call was a write that could have taken effect all the same.
    """

    kind: ClassVar[str] = "upstream"

    def __init__(
        self, words: str, *, status_code: int | None = None, may_have_happened: bool = False
    ) -> None:
        super().__init__(words)
        self.words = words
        self.status_code = status_code
        self.may_have_happened = may_have_happened


class NotSent(UpstreamError):
    kind = "not_sent"


class OverBudget(NotSent):
    """`retry_in_s`: when the budget will allow it, if nobody else is faster."""

    kind = "over_budget"

    def __init__(self, retry_in_s: float) -> None:
        super().__init__("Not asked: the account's budget of requests is used up for the moment.")
        self.retry_in_s = retry_in_s


class Refused(UpstreamError):
    kind = "refused"


class Unauthorized(Refused):
    kind = "unauthorized"


class PaymentRequired(Refused):
    kind = "payment_required"


class Forbidden(Refused):
    kind = "forbidden"


class NotFound(Refused):
    kind = "not_found"


class Conflict(Refused):
    kind = "conflict"


class Invalid(Refused):
    kind = "invalid"


class RateLimited(Refused):
    """`retry_after_s`: what the vendor asked for, held to 1..300 s; None when it did not say."""

    kind = "rate_limited"

    def __init__(self, words: str, *, retry_after_s: int | None, status_code: int | None = 429) -> None:
        super().__init__(words, status_code=status_code)
        self.retry_after_s = retry_after_s


class Unclear(UpstreamError):
    kind = "unclear"


class ServerFault(Unclear):
    kind = "server_fault"


class TimedOut(Unclear):
    kind = "timed_out"


class Disconnected(Unclear):
    kind = "disconnected"


class BadReply(Unclear):
    kind = "bad_reply"


class TooLarge(BadReply):
    """It would be no smaller a second time."""
