# The control: no feedback of the critic to the generator's channels.
_base_ = "translation-vae_1k_scenes-unpaired.py"
model = dict(calibrate=False)
