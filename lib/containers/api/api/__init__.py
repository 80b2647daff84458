"""The data API: flights and delays over HTTP, from the Parquet files that the ETL published.

It reads S3 with boto3 and answers from a DuckDB database of its own. Settings are environment
variables: LAKE_BUCKET (required), HOST (0.0.0.0), PORT (8000), API_CACHE (a scratch folder),
DB_SECRET (the JSON of the lookup database's secret; without it nothing can be expanded),
PGSSLROOTCERT (that database's certificate authority) and METRICS_NAMESPACE (where CloudWatch keeps
latencies and errors; without it none are kept, and no permission is needed).
"""
