# Stage 2: the split loss, from the checkpoint of stage 1 at a tenth of its rate. README.md says how to start it.
_base_ = "lncis_mask-rcnn-r18-small-stage1_2k_scenes-lncis-sym-40-online.py"
split_loss = dict(
    _delete_=True,
    type="noisyseg.SplitLoss",
    foreground=dict(type="noisyseg.ReverseCrossEntropy"),
)
model = dict(roi_head=dict(bbox_head=dict(loss_cls=split_loss)))
optim_wrapper = dict(optimizer=dict(lr=1e-4))
