"""The lab on an AWS account: what it will cost, its stack, and the proof that nothing is left."""
