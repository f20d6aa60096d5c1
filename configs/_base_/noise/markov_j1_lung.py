# Markov boundary noise "J1" for lungs of 256 x 256 pixels (JSRT), outwards; without specks (theta3 = 0).
noise = dict(
    type="noisyseg.Recipe",
    noises=[
        dict(type="noisyseg.MarkovBoundary", steps=180, theta1=0.8, theta2=0.05, blur_sigma=2.0),
    ],
)
