"""Drawing the face over its background (Yi et al. 2020, section 3.3)."""
