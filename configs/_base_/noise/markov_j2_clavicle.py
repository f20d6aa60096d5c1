# Markov boundary noise "J2" for clavicles of 256 x 256 pixels (JSRT), inwards; without specks.
noise = dict(
    type="noisyseg.Recipe",
    noises=[
        dict(type="noisyseg.MarkovBoundary", steps=100, theta1=0.2, theta2=0.02, blur_sigma=2.0),
    ],
)
