"""Face model, camera, pose, light and landmarks (Yi et al. 2020, section 3.1)."""
