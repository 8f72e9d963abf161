"""From sound to expression and head pose (Yi et al. 2020, section 3.2)."""
