"""`awsglue` as far as it works without AWS's own jars: `awsglue.utils.getResolvedOptions`,
`Job.init` and `commit`, and a `GlueContext` that gives plain Spark. The rest raises NeedsGlueJars,
which says how to write it in plain Spark.
"""

from awsglue.missing import NeedsGlueJars

__all__ = ["NeedsGlueJars"]
