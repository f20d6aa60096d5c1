"""Estimates and rules that repair labels while training."""

__all__: list[str] = []
