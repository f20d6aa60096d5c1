# Markov boundary noise "B1" for brain tumours (BraTS 2020), outwards; published for volumes, here slice by slice.
noise = dict(
    type="noisyseg.Recipe",
    noises=[
        dict(type="noisyseg.MarkovBoundary", steps=80, theta1=0.7, theta2=0.05, blur_sigma=1.0),
    ],
)
