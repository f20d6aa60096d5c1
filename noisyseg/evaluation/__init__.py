"""How far labels agree with labels."""

from noisyseg.evaluation.report import write_noise_report

__all__ = ["write_noise_report"]
