"""The AWS of this machine: moto for bookkeeping, own services where something really happens."""
