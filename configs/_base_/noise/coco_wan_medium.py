# COCO-WAN "medium": every object as SAM ViT-H draws it from a point in the middle of its clean box. Needs the images.
noise = dict(
    type="noisyseg.Recipe",
    noises=[
        dict(
            type="noisyseg.PromptNoise",
            prompter=dict(type="noisyseg.SamPrompter", checkpoint="facebook/sam-vit-huge"),
            prompt="point",
        ),
    ],
)
