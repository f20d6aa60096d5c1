# Asymmetric class noise of LNCIS (ECCV 2020) at 20 % for PASCAL VOC; the other twelve classes stay.
noise = dict(
    type="noisyseg.Recipe",
    noises=[
        dict(
            type="noisyseg.PairConfusion",
            rate=0.2,
            pairs={
                "bird": "aeroplane",
                "diningtable": "chair",
                "bus": "car",
                "sheep": "horse",
                "bicycle": "motorbike",
                "motorbike": "bicycle",
                "cat": "dog",
                "dog": "cat",
            },
        ),
    ],
)
