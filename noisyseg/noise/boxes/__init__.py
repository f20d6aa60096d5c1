"""Boxes drawn wrongly."""

__all__ = []
