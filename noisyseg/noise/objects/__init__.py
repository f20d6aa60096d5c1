"""Objects forgotten, invented, split and merged."""

__all__ = []
