"""Statistics: metrics with their uncertainty, and paired tests between encoders."""
