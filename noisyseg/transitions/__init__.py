"""How given labels come from true ones: models of the annotator's mistakes."""

from noisyseg.transitions.alignment import align_edges, alignment_target
from noisyseg.transitions.complexity import local_complexity, shift_energy
from noisyseg.transitions.pixel_shift import PixelShiftField
from noisyseg.transitions.shift_target import shift_target

__all__ = ["PixelShiftField", "align_edges", "alignment_target", "local_complexity", "shift_energy", "shift_target"]
