ARG BASE=python:3.11-slim-bookworm
FROM ${BASE} AS builder
RUN apt-get update \
 && apt-get install --yes --no-install-recommends g++ python3-dev unixodbc-dev
COPY requirements.txt .
RUN pip install --no-cache-dir --no-binary pyodbc --target /packages --requirement requirements.txt

FROM ${BASE}
RUN apt-get update \
 && apt-get install --yes --no-install-recommends odbc-postgresql unixodbc \
 && rm -rf /var/lib/apt/lists/*
RUN useradd --system --no-create-home etl
WORKDIR /app
COPY --from=builder /packages /packages
COPY etl etl
ENV PYTHONPATH=/packages PYTHONUNBUFFERED=1
USER etl
ENTRYPOINT ["python", "-m", "etl"]
