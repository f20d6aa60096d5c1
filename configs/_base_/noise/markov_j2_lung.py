# Markov boundary noise "J2" for lungs of 256 x 256 pixels (JSRT), inwards; without specks (theta3 = 0).
noise = dict(
    type="noisyseg.Recipe",
    noises=[
        dict(type="noisyseg.MarkovBoundary", steps=180, theta1=0.2, theta2=0.05, blur_sigma=2.0),
    ],
)
