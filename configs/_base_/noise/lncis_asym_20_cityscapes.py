# Asymmetric class noise of LNCIS (ECCV 2020) at 20 % for Cityscapes; cars and trains stay.
noise = dict(
    type="noisyseg.Recipe",
    noises=[
        dict(
            type="noisyseg.PairConfusion",
            rate=0.2,
            pairs={
                "person": "rider",
                "rider": "person",
                "truck": "bus",
                "bus": "truck",
                "motorcycle": "bicycle",
                "bicycle": "motorcycle",
            },
        ),
    ],
)
