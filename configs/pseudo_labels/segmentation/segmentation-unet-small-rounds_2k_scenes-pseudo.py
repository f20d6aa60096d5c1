# Noise-robust iterative learning on the pseudo labels, with the rounds of configs/noise_weighted_dice.
_base_ = "segmentation-unet-small_2k_scenes-pseudo.py"
train_pipeline = [
    *_base_.load,
    dict(type="noisyseg.LoadStoredLabels"),
    dict(type="mmseg.RandomFlip", prob=0.5),
    dict(type="noisyseg.PackSegInputs"),
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
model = dict(
    decode_head=dict(
        type="noisyseg.NoiseAwareHead",
        head="mmseg.FCNHead",
        expects=["pixel", "image"],
        loss_decode=[
            dict(type="noisyseg.NoiseWeightedDice", loss_weight=1.0),
            dict(type="noisyseg.CrossEntropy", loss_weight=0.5),
        ],
    )
)
rounds = dict(type="noisyseg.IterativeWeightHook", rounds=3, first_round=800, round_iters=600, flips=["horizontal"])
rounds.update(
    pixel=dict(type="noisyseg.LabelProbability", eta=2.0, floor=0.05),
    image=dict(type="noisyseg.SoftDiceQuality"),
)
custom_hooks = [rounds]
