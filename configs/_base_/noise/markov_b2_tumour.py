# Markov boundary noise "B2" for brain tumours (BraTS 2020), inwards; published for volumes, here slice by slice.
noise = dict(
    type="noisyseg.Recipe",
    noises=[
        dict(type="noisyseg.MarkovBoundary", steps=80, theta1=0.3, theta2=0.05, blur_sigma=1.0),
    ],
)
