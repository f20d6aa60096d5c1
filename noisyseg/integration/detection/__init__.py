"""Components that need mmdet. Importing this package registers them; enter new modules here."""

__all__: list[str] = []
