"""The screens, one module each: PATH, layout and register."""
