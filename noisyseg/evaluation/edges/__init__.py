"""How well edges are found: matching within a distance, and the scores that are made of it."""

__all__: list[str] = []
