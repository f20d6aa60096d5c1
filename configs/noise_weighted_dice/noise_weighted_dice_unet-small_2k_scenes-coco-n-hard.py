# Three rounds in one training: after 800 and 1,400 iterations the labels of all training images are judged.
_base_ = "../baseline/baseline_unet-small_2k_scenes-coco-n-hard.py"
train_pipeline = [
    *_base_.load,
    dict(type="noisyseg.LoadStoredLabels"),
    dict(type="mmseg.RandomFlip", prob=0.5),
    dict(type="noisyseg.PackSegInputs"),
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
dice = dict(type="noisyseg.NoiseWeightedDice", loss_weight=1.0)
cross_entropy = dict(type="noisyseg.CrossEntropy", loss_weight=0.5)
model = dict(
    decode_head=dict(
        type="noisyseg.NoiseAwareHead",
        head="mmseg.FCNHead",
        expects=["pixel", "image"],
        loss_decode=[dice, cross_entropy],
    )
)
rounds = dict(
    type="noisyseg.IterativeWeightHook",
    rounds=3,
    first_round=800,
    round_iters=600,
    pixel=dict(type="noisyseg.LabelProbability", eta=2.0, floor=0.05),
    image=dict(type="noisyseg.SoftDiceQuality"),
    flips=["horizontal"],
    class_floor=(0.2, 0.25),
)
custom_hooks = [rounds]
