"""What a script is told that uses what only AWS's own jars can do."""


class NeedsGlueJars(RuntimeError):
    def __init__(self, name: str):
        super().__init__(
            f"{name} needs AWS Glue's own jars, which exist only inside AWS. Write it in plain "
            "Spark, which runs on Glue as well as here: "
            "spark = SparkSession.builder.getOrCreate(), then spark.read..., "
            "DataFrame.select/where/join and DataFrame.write"
        )


class Missing:
    """Stands for a class of Glue: it can be imported, and nothing else."""

    def __init__(self, name: str):
        self._name = name

    def __call__(self, *_, **__):
        raise NeedsGlueJars(self._name)

    def __getattr__(self, name: str):
        raise NeedsGlueJars(f"{self._name}.{name}")
