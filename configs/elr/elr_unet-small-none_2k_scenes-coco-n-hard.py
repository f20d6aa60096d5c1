# The control: each prediction is its own target.
_base_ = "../baseline/baseline_unet-small_2k_scenes-coco-n-hard.py"
elr = dict(_delete_=True, type="noisyseg.PixelELR", strength=1.0, warm_up=200, ramp=300)
model = dict(decode_head=dict(loss_decode=elr))
