"""Latencies and errors in CloudWatch: the values themselves, as percentiles need them."""

from collections import Counter

import httpx
import pytest
from api.metrics import VALUES_AT_ONCE, Metrics
from api_support import flight
from botocore.exceptions import EndpointConnectionError
from test_api_program import health, running, settings


class CloudWatch:
    """What was put."""

    def __init__(self):
        self.data = []

    def put_metric_data(self, Namespace, MetricData):
        assert Namespace == "Test"
        self.data += MetricData


def values(data, name, route):
    found = Counter()
    for datum in data:
        if (datum["MetricName"], datum["Dimensions"][0]["Value"]) == (name, route):
            assert len(datum.get("Values", [])) <= VALUES_AT_ONCE
            told = datum.get("Values", [datum.get("Value")]), datum.get("Counts", [1])
            found.update(dict(zip(*told, strict=True)))
    return found


def test_each_latency_is_told_once_with_its_count():
    cloudwatch = CloudWatch()
    metrics = Metrics(cloudwatch, "Test")
    for milliseconds, times in ((3.14159, 98), (250.4, 1), (12_345.0, 1)):
        for _ in range(times):
            metrics.observe("/flights", 200, milliseconds)
    metrics.observe(None, 404, 1.0)
    metrics.observe("/carriers", 503, 1.0)
    metrics.send()
    assert values(cloudwatch.data, "Latency", "/flights") == {3.1: 98, 250: 1, 12_340: 1}
    assert values(cloudwatch.data, "Requests", "/flights") == {100: 1}
    assert values(cloudwatch.data, "5XXError", "/carriers") == {1: 1}
    assert values(cloudwatch.data, "5XXError", "other") == {0: 1}
    cloudwatch.data.clear()
    metrics.send()
    assert cloudwatch.data == []


def test_many_different_values_take_several_data():
    cloudwatch = CloudWatch()
    metrics = Metrics(cloudwatch, "Test")
    for milliseconds in range(100, 500):
        metrics.observe("/flights", 200, milliseconds)
    metrics.send()
    assert values(cloudwatch.data, "Latency", "/flights").total() == 400


def test_a_cloudwatch_that_is_away_costs_one_line(caplog):
    class Away:
        def put_metric_data(self, **_):
            raise EndpointConnectionError(endpoint_url="http://monitoring")

    metrics = Metrics(Away(), "Test")
    for _ in range(3):
        metrics.observe("/flights", 200, 1.0)
        metrics.send()
    assert [record.message for record in caplog.records if "metrics" in record.message] == [
        'metrics are not kept: Could not connect to the endpoint URL: "http://monitoring"'
    ]


@pytest.fixture
def cloudwatch(s3_endpoint):
    import boto3

    keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
    return boto3.client("cloudwatch", endpoint_url=s3_endpoint, region_name="us-east-1", **keys)


def test_what_is_left_is_told_when_the_program_ends(bucket, s3_endpoint, cloudwatch):
    bucket.publish("2013-01", [flight()])
    environment = settings(s3_endpoint, bucket.name, METRICS_NAMESPACE="Drydock/Api")
    with running(environment) as (process, url):
        health(url, lambda answer: answer.status_code == 200)
        for path in ("/flights", "/flights", "/carriers/UA/delays", "/nothing"):
            httpx.get(url + path)
        process.terminate()
        assert process.wait(20) == 143
    found = cloudwatch.list_metrics(Namespace="Drydock/Api", MetricName="Latency")["Metrics"]
    routes = {metric["Dimensions"][0]["Value"] for metric in found}
    assert routes == {"/flights", "/carriers/{code}/delays", "other"}
