"""What a choice costs and yields: plain functions of their arguments and of the files in data/."""
