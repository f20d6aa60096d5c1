# Trigger, rule and gate as released, faults included: ignored pixels get labels, and from epoch 16 on every class is
# corrected. Flips and a conditional random field, which the released code adds from epoch 9 on, are not here.
_base_ = "adele_deeplabv3plus-r50-d8_20k_voc-pseudo.py"
model = dict(gate="image")
policy = dict(
    type="noisyseg.AdelePolicy", rule="voc", trigger=dict(type="noisyseg.CurveTrigger", variant="voc"), tau=0.8
)
correction = dict(_base_.correction, policy=policy)
custom_hooks = [correction]
