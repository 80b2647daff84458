"""Where a container's image comes from, for ECS, Kubernetes and Lambda alike."""
