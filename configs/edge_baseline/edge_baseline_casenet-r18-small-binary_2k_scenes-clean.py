# Is there an edge, of whatever class?
_base_ = "edge_baseline_casenet-r18-small_2k_scenes-clean.py"
model = dict(decode_head=dict(num_classes=1))
classes = ("edge",)
metainfo = dict(classes=classes)
train_pipeline = _base_.train_pipeline
train_pipeline[3].agnostic = True
train_dataloader = dict(dataset=dict(metainfo=metainfo, pipeline=train_pipeline))
clean_val, given_train, clean_train = _base_.clean_val, _base_.given_train, _base_.clean_train
clean_val.metainfo = given_train.metainfo = clean_train.metainfo = metainfo
clean_val.pipeline[2].agnostic = given_train.pipeline[2].agnostic = clean_train.pipeline[2].agnostic = True
val_dataloader = dict(dataset=dict(datasets=[clean_val, given_train]))
test_dataloader = dict(dataset=clean_val)
