# Targets from an average of the network's weights over about the last 200 steps.
_base_ = "../baseline/baseline_unet-small_2k_scenes-coco-n-hard.py"
segmentor = _base_.model
segmentor.decode_head.type = "noisyseg.NoiseAwareHead"
segmentor.decode_head.head = "mmseg.FCNHead"
segmentor.decode_head.loss_decode = dict(
    type="noisyseg.PixelELR", strength=1.0, warm_up=200, ramp=300, targets=dict(type="noisyseg.TeacherTargets")
)
model = dict(_delete_=True, type="noisyseg.TeacherStudentSegmentor", segmentor=segmentor, momentum=0.005)
custom_hooks = [dict(type="noisyseg.TeacherHook")]
