# A weight for each pixel of the noisy label maps; README.md says how to make the files.
_base_ = "../baseline/baseline_unet-small_2k_scenes-coco-n-hard.py"
train_pipeline = [
    *_base_.load,
    dict(type="noisyseg.LoadWeightMap", weight_dir=f"{_base_.data_root}/weights_coco_n_hard/train"),
    dict(type="mmseg.RandomFlip", prob=0.5),
    dict(type="noisyseg.PackSegInputs"),
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
model = dict(
    decode_head=dict(
        type="noisyseg.NoiseAwareHead",
        head="mmseg.FCNHead",
        expects=["pixel"],
        loss_decode=dict(_delete_=True, type="noisyseg.CrossEntropy"),
    )
)
