"""The data API: flights and delays over HTTP, from the Parquet files that the ETL published.

It reads S3 with boto3 and answers from a DuckDB database of its own. Settings are environment
variables: LAKE_BUCKET (required), HOST (0.0.0.0), PORT (8000) and API_CACHE (a scratch folder).
"""
