"""Speech: what a network hears of it, and synthetic speech whose phonemes are known."""
