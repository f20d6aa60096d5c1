# COCO-WAN "easy": every object as SAM ViT-H draws it from the box of its clean mask. Needs the images.
noise = dict(
    type="noisyseg.Recipe",
    noises=[
        dict(
            type="noisyseg.PromptNoise",
            prompter=dict(type="noisyseg.SamPrompter", checkpoint="facebook/sam-vit-huge"),
            prompt="box",
        ),
    ],
)
