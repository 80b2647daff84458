"""How Kubernetes, KEDA and Amazon ECS decide how many copies run and where."""
