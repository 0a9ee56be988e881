"""Recommend items and predict what a user will do with them: TensorFlow Recommenders models."""

import os

__version__ = "0.1.0"

# TFRS needs Keras 2, and `tf.keras` decides once, when TensorFlow is first touched.
os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
