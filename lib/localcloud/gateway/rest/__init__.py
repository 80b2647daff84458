"""REST APIs: resources, deployments, API keys and usage plans, really served.

moto keeps the records. A stage serves its deployment, as on AWS: what was changed since is not
seen before the next create_deployment. On AWS an invoke URL follows from the API's id; here it is
in the API's tag ``localcloud:endpoint``.
"""
