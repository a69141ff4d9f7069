"""Encoders: frozen networks that turn a volume into one feature vector."""
