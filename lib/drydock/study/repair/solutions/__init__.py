"""The stored answers of each lab: `solve`, and `WRONG`, which a check must refuse, by its rule.

`solve` may be shown to a learner, so it is plain boto3. The wrong ones are the usual mistakes.
"""
