# For the small translation: minutes on a CPU. One optimizer for the generators, one for the critics.
train_cfg = dict(type="mmengine.IterBasedTrainLoop", max_iters=1000)
adam = dict(type="mmengine.Adam", betas=(0.5, 0.99))
optim_wrapper = dict(
    constructor="noisyseg.AdversarialOptimWrapperConstructor",
    generators=dict(optimizer=dict(**adam, lr=1e-3)),
    discriminators=dict(optimizer=dict(**adam, lr=1e-3)),
)
randomness = dict(seed=0)
