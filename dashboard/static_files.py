"""Static files as they are served: our scripts without comments and blanks, all compressed, under names of their own."""

from typing import Any

from django.core.files.base import ContentFile, File
from rjsmin import jsmin
from whitenoise.storage import CompressedManifestStaticFilesStorage


class LeanFiles(CompressedManifestStaticFilesStorage):
    """A quarter less of scripts on the wire.  Libraries' files are left as they come, and so are styles: no minifier in
    Python knows nested rules (rcssmin makes one selector of `.row :checked`)."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._urls: dict[tuple[str | None, bool], str] = {}

    def url(self, name: str | None, force: bool = False) -> str:
        """Put together once per name: a page has a dozen, and the manifest is read when the process starts."""
        key = name, force
        if key not in self._urls:
            self._urls[key] = super().url(name, force)
        return self._urls[key]

    def _save(self, name: str, content: "File[Any]") -> str:
        if name.replace("\\", "/").startswith("js/"):
            whole = b"".join(content.chunks())  # from its beginning, wherever others have read it to
            content = ContentFile(jsmin(whole.decode()).encode())
        return super()._save(name, content)
