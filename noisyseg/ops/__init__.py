"""Heavy mask operations on batches of tensors, on the device of their input."""

from noisyseg.ops.confusion import confusion_counts

__all__ = ["confusion_counts"]
