"""Settings: one pydantic model for the configuration and the cards (DESIGN: cards decide)."""
