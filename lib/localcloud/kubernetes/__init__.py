"""Kubernetes whose pods really run. ``cluster.Cluster`` is one cluster."""
