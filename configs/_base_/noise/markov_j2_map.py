# Markov boundary noise J2 (JSRT lung and heart) of arXiv 2308.02498 on maps: every class but the background 0 shrinks.
noise = dict(type="noisyseg.MarkovMap", steps=180, theta1=0.2, theta2=0.05, theta3=0.2, blur_sigma=2.0, background=[0])
