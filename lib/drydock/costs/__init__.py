"""What things cost: bills of a list of usage, of what the cloud has run, and fresh prices."""
