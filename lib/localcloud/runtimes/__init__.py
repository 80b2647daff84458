"""Ways to run a container spec on this machine, behind one interface (see ``base``).

A runtime knows nothing of ECS or Kubernetes: it gets command, environment, CPU, memory and stop
grace, and gives exit code, reason, log lines and usage.
"""
