# Experimental: VIPER-N "mid" as an alias of coco_n_v2_mid; its settings are published nowhere.
_base_ = "coco_n_v2_mid.py"
