"""Edge detection in mmseg: labels, detectors, learned shifts and scores of edges."""

__all__: list[str] = []
