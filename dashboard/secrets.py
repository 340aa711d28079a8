"""Secrets that nobody had to think of: made once, kept beside the data, readable by the owner only."""

import os
import secrets
from pathlib import Path

from cryptography.fernet import Fernet


def _kept(path: Path, fresh: str) -> str:
    """The text of `path`; if there is none yet, `fresh`, written so that two processes agree on one."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    if not path.exists():
        with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
            file.write(fresh)
        try:
            os.link(draft, path)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return path.read_text(encoding="ascii").strip()


def secret_key(data_dir: Path) -> str:
    """Django's SECRET_KEY of this installation."""
    return _kept(data_dir / "keys" / "secret_key", secrets.token_urlsafe(50))


def encryption_key(data_dir: Path) -> str:
    """The Fernet key that API keys and live URLs are stored under."""
    return _kept(data_dir / "keys" / "encryption_key", Fernet.generate_key().decode("ascii"))
