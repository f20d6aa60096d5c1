# Images of one half of the training scenes, masks of the other half, at half the size; tools/make_scenes.py makes them.
data_root = "{{$NOISYSEG_SCENES:data/scenes}}"
image_dir = f"{data_root}/images/train"
clean_dir = f"{data_root}/semantic/train"
size = 64

# Each sample is a fresh draw that its number names, so they are read in order.
train_dataloader = dict(
    batch_size=4,
    num_workers=0,
    sampler=dict(type="mmengine.InfiniteSampler", shuffle=False),
    dataset=dict(type="noisyseg.UnpairedDataset", image_dir=image_dir, mask_dir=clean_dir, size=size),
)
# The clean maps are for the score in the log alone.
custom_hooks = [
    dict(
        type="noisyseg.WritePseudoLabels",
        image_dir=image_dir,
        out_dir=f"{data_root}/semantic_pseudo/train",
        size=size,
        clean_dir=clean_dir,
    )
]
