# Three rounds on street scenes, whose labels get their noise while they are loaded, and then their weights.
_base_ = "../baseline/baseline_unet-small_2k_camvid-coco-n-hard-online.py"
train_pipeline = _base_.train_pipeline
train_pipeline.insert(3, dict(type="noisyseg.LoadStoredLabels"))
train_pipeline[-1] = dict(type="noisyseg.PackSegInputs")
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
