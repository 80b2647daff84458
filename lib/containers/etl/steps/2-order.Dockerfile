ARG BASE=python:3.11-slim-bookworm
FROM ${BASE}
RUN apt-get update
RUN apt-get install --yes build-essential python3-dev unixodbc-dev odbc-postgresql
WORKDIR /app
COPY requirements.txt .
RUN pip install --no-binary pyodbc --requirement requirements.txt
COPY etl etl
CMD python -m etl $MONTHS
