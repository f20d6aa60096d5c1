"""What noise did to labels: compare clean and noisy labels of any kind, and tell it in JSON, Markdown and HTML."""

from noisyseg.evaluation.report.making import write_noise_report
from noisyseg.evaluation.report.markdown import summary

__all__ = ["summary", "write_noise_report"]
