"""Edge labels that go wrong."""

__all__ = []
