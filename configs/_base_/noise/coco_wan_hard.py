# COCO-WAN "hard": "medium" and wrong classes. The rate is ours: the authors state none. Needs the images.
noise = dict(
    type="noisyseg.Recipe",
    noises=[
        dict(
            type="noisyseg.PromptNoise",
            prompter=dict(type="noisyseg.SamPrompter", checkpoint="facebook/sam-vit-huge"),
            prompt="point",
        ),
        dict(type="noisyseg.ClassConfusion", rate=0.4),
    ],
)
