_base_ = [
    "../_base_/models/casenet_r101.py",
    "../_base_/datasets/sbd_edges.py",
    "../_base_/schedules/sgd_22k.py",
    "../_base_/runtime/mmseg.py",
]
train_dataloader = dict(batch_size=10)
