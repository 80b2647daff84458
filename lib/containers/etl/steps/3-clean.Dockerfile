ARG BASE=python:3.11-slim-bookworm
FROM ${BASE}
RUN apt-get update \
 && apt-get install --yes --no-install-recommends \
    g++ python3-dev unixodbc-dev odbc-postgresql \
 && rm -rf /var/lib/apt/lists/*
WORKDIR /app
COPY requirements.txt .
RUN pip install --no-cache-dir --no-binary pyodbc --requirement requirements.txt
COPY etl etl
CMD python -m etl $MONTHS
