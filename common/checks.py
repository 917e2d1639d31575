"""System checks of the shelf."""
