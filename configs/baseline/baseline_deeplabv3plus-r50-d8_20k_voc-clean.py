# The same on the labels that people drew.
_base_ = "baseline_deeplabv3plus-r50-d8_20k_voc-pseudo.py"
train_dataloader = dict(dataset=dict(data_prefix=_base_.clean_files))
given_train = dict(_base_.given_train, data_prefix=_base_.clean_files)
val_dataloader = dict(dataset=dict(datasets=[_base_.clean_val, given_train]))
val_evaluator = [metric for metric in _base_.val_evaluator if metric.split != "clean_train"]
