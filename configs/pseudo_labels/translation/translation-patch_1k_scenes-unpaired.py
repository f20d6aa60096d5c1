# The control: a critic of patches in the place of the VAE.
_base_ = "translation-vae_1k_scenes-unpaired.py"
model = dict(mask_critic=dict(_delete_=True, type="noisyseg.PatchDiscriminator", in_channels=1))
