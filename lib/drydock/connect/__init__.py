"""Connections to relational databases, with credentials that come from Secrets Manager."""
