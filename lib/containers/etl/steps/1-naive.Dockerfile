ARG BASE=python:3.11-slim-bookworm
FROM ${BASE}
COPY . /app
WORKDIR /app
RUN apt-get update
RUN apt-get install --yes build-essential python3-dev unixodbc-dev odbc-postgresql
RUN pip install --no-binary pyodbc --requirement requirements.txt
CMD python -m etl $MONTHS
