_base_ = [
    "../../_base_/models/unpaired_translation.py",
    "../../_base_/datasets/scenes_unpaired.py",
    "../../_base_/schedules/adversarial_1k.py",
    "../../_base_/runtime/mmengine.py",
]
