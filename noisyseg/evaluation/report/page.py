"""The report as one HTML page that needs nothing else."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from jinja2 import Environment, PackageLoader, StrictUndefined

from noisyseg.evaluation.report.figures import MOST_CLASSES, figures
from noisyseg.evaluation.report.markdown import LISTED, headline, number, percent


def page(report: Mapping[str, Any], pictures: Sequence[bytes]) -> str:
    """Returns the HTML.

    Args:
        report: The report.
        pictures: JPEG bytes of the pairs under ``worst``, in that order; may be empty.
    """
    environment = Environment(
        loader=PackageLoader("noisyseg.evaluation.report", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["number"] = number
    environment.filters["percent"] = lambda value: "–" if value is None else f"{100 * value:.1f} %"
    generator = report["generator"]
    recipe = None if generator is None else orjson.dumps(generator["recipe"], option=orjson.OPT_INDENT_2).decode()
    return environment.get_template("page.html.j2").render(
        report=report,
        headline=headline(report),
        figures={name: _data("image/svg+xml", svg.encode()) for name, svg in figures(report).items()},
        pictures=[_data("image/jpeg", picture) for picture in pictures],
        recipe=recipe,
        listed=LISTED,
        most_classes=MOST_CLASSES,
        share=percent,
    )


def _data(kind: str, content: bytes) -> str:
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"
