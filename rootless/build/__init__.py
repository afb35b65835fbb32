"""Images out of Containerfiles: parsed, planned into stages, built step by step, kept."""
