"""Rows of the table of canonical settings, with a segmenter that needs neither weights nor an image."""

STUB = {"type": "noisyseg.StubPrompter"}

EVERY = {
    "prompt_noise_point": {
        "type": "noisyseg.PromptNoise",
        "prompter": STUB,
        "prompt": "point",
        "jitter_std": 1 / 3,
        "multimask": False,
        "select": "largest",
    },
    "prompt_noise_random_point": {
        "type": "noisyseg.PromptNoise",
        "prompter": STUB,
        "prompt": "random_point",
        "select": "iou_oracle",
    },
    "prompt_noise_recipe": {
        "type": "noisyseg.Recipe",
        "noises": [
            {"type": "noisyseg.PromptNoise", "prompter": STUB, "prompt": "box", "omega": 1.5},
            {"type": "noisyseg.ClassConfusion", "rate": 0.5},
        ],
    },
}

MAPS = {
    "by_region_prompt": {"type": "noisyseg.ByRegion", "noise": EVERY["prompt_noise_random_point"], "background": [0]},
}
