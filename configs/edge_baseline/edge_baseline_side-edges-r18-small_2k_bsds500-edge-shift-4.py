# Noisy files are made before, next to the given ones:
# python tools/make_noise.py edge_shift_4 BSDS500/data/groundTruth BSDS500/data/groundTruth_edge_shift_4 --seed 0
_base_ = "edge_baseline_side-edges-r18-small_2k_bsds500-clean.py"
noisy_files = dict(edge_path="groundTruth_edge_shift_4/train")
train_dataloader = dict(dataset=dict(data_prefix=noisy_files))
given_train = _base_.given_train
given_train.data_prefix.update(noisy_files)
val_dataloader = dict(dataset=dict(datasets=[_base_.clean_val, given_train, _base_.clean_train]))
val_evaluator = [
    *_base_.val_evaluator,
    dict(type="noisyseg.SplitMetric", split="clean_train", metric=_base_.score),
]
