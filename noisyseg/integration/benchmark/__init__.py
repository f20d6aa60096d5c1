"""The benchmark: a table of methods, data sets and seeds, of which each cell is one short training and one row."""

from noisyseg.integration.benchmark.prepare import PreparedData, prepare_data
from noisyseg.integration.benchmark.report import write_report
from noisyseg.integration.benchmark.run import run_cells
from noisyseg.integration.benchmark.table import Cell, Table, load_table

__all__ = ["Cell", "PreparedData", "Table", "load_table", "prepare_data", "run_cells", "write_report"]
