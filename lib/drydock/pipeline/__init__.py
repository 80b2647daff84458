"""The pipeline, a module for each of its parts; `run` takes them in order."""
