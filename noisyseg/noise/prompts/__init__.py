"""Masks made by a promptable segmenter from weak annotations."""

__all__ = []
