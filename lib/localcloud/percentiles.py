"""Percentiles of CloudWatch metrics (p50, p99, p99.9), which moto does not compute.

Those are only of metrics whose values were put one by one or as Values with Counts, as on AWS; of
statistic sets there is none.
"""

from __future__ import annotations

import math
import re
from typing import Any, SupportsFloat

from moto.cloudwatch import models
from moto.cloudwatch.responses import CloudWatchResponse

PERCENTILE = re.compile(r"p(\d{1,2}(?:\.\d{1,10})?|100)")
EXTENDED = "ExtendedStatistics"


class Statistics(models.Statistics):
    """moto's statistics of a period, with percentiles."""

    def get_statistics_for_type(self, stat: str) -> SupportsFloat | None:
        if match := PERCENTILE.fullmatch(stat):
            return self.percentile(float(match[1]))
        return super().get_statistics_for_type(stat)

    @property
    def extended_statistics(self) -> dict[str, float] | None:
        asked = [(stat, PERCENTILE.fullmatch(stat)) for stat in self.stats]
        values = {stat: self.percentile(float(match[1])) for stat, match in asked if match}
        return values or None

    def percentile(self, per_cent: float) -> float | None:
        """The least value that so many per cent of all values do not exceed."""
        values = sorted(self.metric_single_values_list)
        if not values:
            return None
        return values[max(0, math.ceil(len(values) * per_cent / 100) - 1)]


class Responses(CloudWatchResponse):
    def _get_param(self, name: str, default: Any = None) -> Any:
        found = super()._get_param(name, default)
        if name == "Statistics" and self._get_action() == "GetMetricStatistics":
            return [*(found or []), *(super()._get_param(EXTENDED) or [])]
        return found


def install() -> None:
    """Have moto compute them. Call it before the first request."""
    from moto.cloudwatch import urls

    models.Statistics = Statistics
    urls.url_paths["{0}/$"] = Responses.dispatch
