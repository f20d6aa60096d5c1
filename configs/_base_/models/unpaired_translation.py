# Images to masks and back, small enough for a CPU. Sizes and weights are ours; configs/pseudo_labels/README.md.
model = dict(
    type="noisyseg.UnpairedTranslation",
    mask_critic=dict(type="noisyseg.VaeDiscriminator"),
    image_critic=dict(type="noisyseg.PatchDiscriminator", in_channels=3, width=32),
)
