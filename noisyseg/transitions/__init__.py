"""How given labels come from true ones: models of the annotator's mistakes."""

__all__: list[str] = []
