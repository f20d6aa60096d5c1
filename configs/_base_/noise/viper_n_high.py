# Experimental: VIPER-N "high" as an alias of coco_n_v2_high; its settings are published nowhere.
_base_ = "coco_n_v2_high.py"
