"""p50 and p99 of a metric whose values were put with their counts."""

from datetime import UTC, datetime, timedelta

import pytest
from live import client


@pytest.fixture
def latencies(cloud):
    cloudwatch = client(cloud, "cloudwatch")
    latency = {"MetricName": "Latency", "Unit": "Milliseconds"}
    cloudwatch.put_metric_data(
        Namespace="Percentiles",
        MetricData=[latency | {"Values": [2.0, 3.0, 900.0], "Counts": [50.0, 49.0, 1.0]}],
    )
    return cloudwatch


def period():
    now = datetime.now(UTC).replace(microsecond=0)
    return {"StartTime": now - timedelta(minutes=5), "EndTime": now + timedelta(minutes=1)}


def test_get_metric_data(latencies):
    metric = {"Namespace": "Percentiles", "MetricName": "Latency"}
    queries = [
        {
            "Id": stat.replace(".", "_"),
            "MetricStat": {"Metric": metric, "Period": 600, "Stat": stat},
        }
        for stat in ("p50", "p99", "p99.9", "p100", "SampleCount")
    ]
    found = latencies.get_metric_data(MetricDataQueries=queries, **period())
    values = {one["Id"]: one["Values"][0] for one in found["MetricDataResults"]}
    samples = values.pop("SampleCount")
    assert samples >= 100
    assert values == {"p50": 2.0, "p99": 3.0, "p99_9": 900.0, "p100": 900.0}


def test_get_metric_statistics(latencies):
    asked = {"Namespace": "Percentiles", "MetricName": "Latency", "Period": 600}
    found = latencies.get_metric_statistics(
        **asked, **period(), ExtendedStatistics=["p50", "p99"], Statistics=["Maximum"]
    )
    [point] = found["Datapoints"]
    assert point["ExtendedStatistics"] == {"p50": 2.0, "p99": 3.0}
    assert point["Maximum"] == 900.0
    only = latencies.get_metric_statistics(**asked, **period(), ExtendedStatistics=["p99"])
    assert only["Datapoints"][0]["ExtendedStatistics"] == {"p99": 3.0}
