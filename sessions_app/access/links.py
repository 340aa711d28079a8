"""One-time sign-in links, for the first admin of a floor on which nobody has a password yet."""

from django.contrib.auth.models import User
from django.contrib.auth.tokens import PasswordResetTokenGenerator

LINK_LIVES_S = 24 * 3600


class _SignInToken(PasswordResetTokenGenerator):
    """Django's reset token under another salt: it holds `last_login`, so the first use spends it."""

    key_salt = "sessions_app.access.links"


_tokens = _SignInToken()


def make_token(user: User) -> str:
    """A token for the address `/accounts/link/<token>/`; good once, for a day."""
    return f"{user.pk}.{_tokens.make_token(user)}"


def redeem(token: str) -> User | None:
    """The person whose unspent token this is."""
    pk, _, secret = token.partition(".")
    if not pk.isascii() or not pk.isdigit() or len(pk) > 18:
        return None
    user = User.objects.filter(pk=int(pk), is_active=True).first()
    if user is None or not _tokens.check_token(user, secret):
        return None
    return user
