"""One row an edge model: a config that changes the edges of any image that has some."""

EDGES = {
    "edge_bias": {"type": "noisyseg.EdgeBias", "offset": 2},
    "edge_bias_inward": {"type": "noisyseg.EdgeBias", "offset": -2.5, "ground": 0},
    "edge_chain": {
        "type": "noisyseg.Chain",
        "noises": [
            {"type": "noisyseg.EdgeShift", "rms": 2, "length": 8},
            {"type": "noisyseg.EdgeDrop", "rate": 0.2, "length": 5},
            {"type": "noisyseg.EdgeShift", "rms": 1},
        ],
    },
    "edge_coarse": {"type": "noisyseg.EdgeCoarse", "delta": 8},
    "edge_coarse_ground": {"type": "noisyseg.EdgeCoarse", "delta": 6, "ground": 0},
    "edge_density_shift": {"type": "noisyseg.EdgeDensityShift", "rms": 4},
    "edge_drop": {"type": "noisyseg.EdgeDrop", "rate": 0.3, "length": 9},
    "edge_shift": {"type": "noisyseg.EdgeShift", "rms": 4},
    "edge_spurious": {"type": "noisyseg.EdgeSpurious", "rate": 0.2, "distance": 3},
}
