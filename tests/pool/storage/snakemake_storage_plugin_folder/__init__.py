"""A storage for tests: queries are paths of files, or URLs of a server that serves this folder."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from snakemake_interface_storage_plugins.io import IOCacheStorageInterface
from snakemake_interface_storage_plugins.storage_object import StorageObjectRead, StorageObjectWrite
from snakemake_interface_storage_plugins.storage_provider import (
    ExampleQuery,
    Operation,
    QueryType,
    StorageProviderBase,
    StorageQueryValidationResult,
)


class StorageProvider(StorageProviderBase):  # type: ignore[misc]  # Snakemake's interfaces carry no types
    """All that Snakemake asks of a provider."""

    @classmethod
    def example_queries(cls) -> list[ExampleQuery]:
        return [ExampleQuery("/data/file", "a path", QueryType.ANY)]

    @classmethod
    def is_valid_query(cls, query: str) -> StorageQueryValidationResult:
        return StorageQueryValidationResult(query=query, valid=True)

    def rate_limiter_key(self, query: str, operation: Operation) -> Any:
        return None

    def default_max_requests_per_second(self) -> float:
        return 100

    def use_rate_limiter(self) -> bool:
        return False


class StorageObject(StorageObjectRead, StorageObjectWrite):  # type: ignore[misc]
    """One file."""

    def __post_init__(self) -> None:
        self.file = Path(urlsplit(self.query).path.lstrip("/") if "://" in self.query else self.query)

    async def inventory(self, cache: IOCacheStorageInterface) -> None:
        """Nothing comes for free."""

    def get_inventory_parent(self) -> str | None:
        return None

    def local_suffix(self) -> str:
        return str(self.query).replace("://", "/").lstrip("/")

    def cleanup(self) -> None:
        """There is nothing to close."""

    def exists(self) -> bool:
        return self.file.exists()

    def mtime(self) -> float:
        return self.file.stat().st_mtime

    def size(self) -> int:
        return self.file.stat().st_size

    def retrieve_object(self) -> None:
        shutil.copy2(self.file, self.local_path())

    def store_object(self) -> None:
        self.file.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(self.local_path(), self.file)

    def remove(self) -> None:
        self.file.unlink()
