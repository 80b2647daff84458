"""The helper library behind the Drydock notebooks: all that a lesson imports."""
