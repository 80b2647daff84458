"""Application Auto Scaling for ECS services, acting on what their tasks really use.

moto keeps the targets and policies; ``api`` mends what it gets wrong, ``figures`` measures,
``rules`` decides, and ``scaler`` does it.
"""
