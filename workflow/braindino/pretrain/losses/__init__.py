"""Terms of the pretraining objective (paper section 4.2), as pure functions in float32."""
