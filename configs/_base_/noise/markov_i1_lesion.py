# Markov boundary noise "I1" for skin lesions (ISIC 2017), inwards; without specks (theta3 = 0).
noise = dict(
    type="noisyseg.Recipe",
    noises=[
        dict(type="noisyseg.MarkovBoundary", steps=200, theta1=0.2, theta2=0.05, blur_sigma=2.0),
    ],
)
