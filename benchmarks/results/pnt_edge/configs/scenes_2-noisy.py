# The config of one kind of cell; its seed goes to randomness.seed, the folder of the data to data_root.
model = {'_scope_': 'noisyseg',
 'backbone': {'base_channels': 16,
              'deep_stem': True,
              'depth': 18,
              'norm_cfg': {'type': 'mmengine.BN'},
              'stem_channels': 16,
              'type': 'noisyseg.CASENetResNet'},
 'data_preprocessor': {'bgr_to_rgb': True,
                       'mean': [123.675, 116.28, 103.53],
                       'size_divisor': 1,
                       'std': [58.395, 57.12, 57.375],
                       'type': 'mmseg.SegDataPreProcessor'},
 'decode_head': {'in_channels': [16, 16, 32, 128], 'num_classes': 1, 'type': 'noisyseg.CASENetHead'},
 'edge_loss': {'type': 'noisyseg.EdgeCrossEntropy'},
 'type': 'noisyseg.EdgeDetector'}
default_scope = 'mmseg'
train_cfg = {'max_iters': 600, 'type': 'mmengine.IterBasedTrainLoop', 'val_interval': 200}
val_cfg = {'type': 'mmengine.ValLoop'}
optim_wrapper = {'optimizer': {'lr': 0.01, 'type': 'mmengine.AdamW', 'weight_decay': 0.0001}, 'type': 'mmengine.OptimWrapper'}
param_scheduler = [{'begin': 0, 'by_epoch': False, 'end': 20, 'start_factor': 0.1, 'type': 'mmengine.LinearLR'},
 {'begin': 20, 'by_epoch': False, 'end': 600, 'eta_min': 0.0005, 'power': 1.0, 'type': 'mmengine.PolyLR'}]
train_dataloader = {'batch_size': 4,
 'dataset': {'data_prefix': {'edge_path': 'noisy/train', 'img_path': 'images/train'},
             'data_root': '',
             'img_suffix': '.png',
             'metainfo': {'classes': ['edge']},
             'pipeline': [{'type': 'mmengine.LoadImageFromFile'},
                          {'num_classes': 1, 'type': 'noisyseg.LoadEdgeLabels'},
                          {'prob': 0.5, 'type': 'mmseg.RandomFlip'}, {'type': 'noisyseg.PackSegInputs'}],
             'type': 'noisyseg.EdgeDataset'},
 'num_workers': 0,
 'sampler': {'shuffle': True, 'type': 'mmengine.InfiniteSampler'}}
val_dataloader = {'batch_size': 16,
 'dataset': {'datasets': [{'data_prefix': {'edge_path': 'clean/val', 'img_path': 'images/val'},
                           'data_root': '',
                           'edge_suffix': '.png',
                           'img_suffix': '.png',
                           'metainfo': {'classes': ['edge']},
                           'pipeline': [{'type': 'mmengine.LoadImageFromFile'},
                                        {'keep_annotators': True,
                                         'num_classes': 1,
                                         'type': 'noisyseg.LoadEdgeLabels'},
                                        {'type': 'noisyseg.PackSegInputs'},
                                        {'split': 'clean', 'type': 'noisyseg.TagSplit'}],
                           'test_mode': True,
                           'type': 'noisyseg.EdgeDataset'},
                          {'data_prefix': {'edge_path': 'noisy_thin/train', 'img_path': 'images/train'},
                           'data_root': '',
                           'img_suffix': '.png',
                           'indices': 8,
                           'metainfo': {'classes': ['edge']},
                           'pipeline': [{'type': 'mmengine.LoadImageFromFile'},
                                        {'num_classes': 1, 'type': 'noisyseg.LoadEdgeLabels'},
                                        {'type': 'noisyseg.PackSegInputs'},
                                        {'split': 'given', 'type': 'noisyseg.TagSplit'}],
                           'test_mode': True,
                           'type': 'noisyseg.EdgeDataset'}],
             'type': 'mmengine.ConcatDataset'},
 'num_workers': 0,
 'sampler': {'shuffle': False, 'type': 'mmengine.DefaultSampler'}}
val_evaluator = [{'metric': {'protocol': {'labels': 'of the benchmark', 'tolerance': 0.006629126073623883},
             'thresholds': 33,
             'type': 'noisyseg.EdgeMetric'},
  'split': 'clean',
  'type': 'noisyseg.SplitMetric'},
 {'metric': {'protocol': {'labels': 'of the benchmark', 'tolerance': 0.006629126073623883},
             'thresholds': 33,
             'type': 'noisyseg.EdgeMetric'},
  'split': 'given',
  'type': 'noisyseg.SplitMetric'}]
env_cfg = {'cudnn_benchmark': False, 'dist_cfg': {'backend': 'gloo'}, 'mp_cfg': {'mp_start_method': 'fork'}}
default_hooks = {'checkpoint': None,
 'logger': {'interval': 50, 'log_metric_by_epoch': False, 'type': 'mmengine.LoggerHook'},
 'param_scheduler': {'type': 'mmengine.ParamSchedulerHook'},
 'timer': {'type': 'mmengine.IterTimerHook'}}
log_processor = {'by_epoch': False}
log_level = 'INFO'
randomness = {'seed': 0}
