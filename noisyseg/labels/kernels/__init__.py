"""Compiled loops over run lengths, pixels and polygons: arrays and numbers in, arrays and numbers out."""

__all__: list[str] = []
