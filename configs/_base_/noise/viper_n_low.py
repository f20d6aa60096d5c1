# Experimental: VIPER-N "low" as an alias of coco_n_v2_low; its settings are published nowhere.
_base_ = "coco_n_v2_low.py"
