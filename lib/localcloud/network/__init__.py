"""Who may reach whom: the rules of a VPC, applied to what really runs.

``reachability`` decides and does nothing else; ``calls`` leaves AWS calls without an answer that a
task could not make; the front of a database (``rds.front``) does the same for connections.
"""
