"""GlueContext: plain Spark's session, and nothing of Glue's."""

import logging

from awsglue.missing import NeedsGlueJars


class GlueContext:
    """``spark_session`` is Spark's own. DynamicFrames raise NeedsGlueJars."""

    def __init__(self, sparkContext, **_):
        from pyspark.sql import SparkSession

        self.spark_session = SparkSession.builder.getOrCreate()

    def get_logger(self) -> logging.Logger:
        """Its lines go to standard error, and so to the run's error stream."""
        logger = logging.getLogger("glue")
        if not logger.handlers:
            logger.addHandler(logging.StreamHandler())
            logger.setLevel(logging.INFO)
        return logger

    def __getattr__(self, name: str):
        raise NeedsGlueJars(f"GlueContext.{name}")
