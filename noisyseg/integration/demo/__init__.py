"""The demo: one synthetic data set, one noise, two trainings, and a page that explains what happened."""

from noisyseg.integration.demo.run import DemoResult, run_demo

__all__ = ["DemoResult", "run_demo"]
