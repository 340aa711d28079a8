"""Files on a disk that are there as a whole, or not at all."""

from pathlib import Path
from uuid import uuid4

from django.core.files.base import File
from django.core.files.storage import FileSystemStorage

UNFINISHED = "."
"""Names of files that are being written begin with it."""


class WholeFiles(FileSystemStorage):
    """Django's writes in place: a full disk or a killed worker leaves half a picture, under the name of a whole one."""

    def _save(self, name: str, content: File) -> str:
        path = Path(self.path(name))
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_name(f"{UNFINISHED}{path.name}.{uuid4().hex[:8]}")
        try:
            with unfinished.open("xb") as file:
                file.writelines(content.chunks())
            unfinished.replace(path)
        except BaseException:
            unfinished.unlink(missing_ok=True)
            raise
        return name
