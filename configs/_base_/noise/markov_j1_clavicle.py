# Markov boundary noise "J1" for clavicles of 256 x 256 pixels (JSRT), outwards; without specks.
noise = dict(
    type="noisyseg.Recipe",
    noises=[
        dict(type="noisyseg.MarkovBoundary", steps=100, theta1=0.8, theta2=0.02, blur_sigma=2.0),
    ],
)
