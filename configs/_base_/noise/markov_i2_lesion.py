# Markov boundary noise "I2" for skin lesions (ISIC 2017), outwards; without specks (theta3 = 0).
noise = dict(
    type="noisyseg.Recipe",
    noises=[
        dict(type="noisyseg.MarkovBoundary", steps=200, theta1=0.8, theta2=0.05, blur_sigma=2.0),
    ],
)
