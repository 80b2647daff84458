"""Moments and durations, as Kubernetes writes and kubectl shows them."""

from __future__ import annotations

from datetime import UTC, datetime

UNKNOWN = "<unknown>"


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


def age(text: str | None) -> str:
    if not text:
        return UNKNOWN
    return duration((datetime.now(UTC) - moment(text)).total_seconds())


def duration(seconds: float) -> str:
    """As kubectl: 45s, 3m20s, 15m, 5h3m, 2d4h, 20d."""
    seconds = max(0, int(seconds))
    minutes, hours, days = seconds // 60, seconds // 3600, seconds // 86400
    if seconds < 120:
        return f"{seconds}s"
    if minutes < 10:
        rest = seconds % 60
        return f"{minutes}m{rest}s" if rest else f"{minutes}m"
    if minutes < 180:
        return f"{minutes}m"
    if hours < 8:
        rest = minutes % 60
        return f"{hours}h{rest}m" if rest else f"{hours}h"
    if hours < 48:
        return f"{hours}h"
    if days < 8:
        rest = hours % 24
        return f"{days}d{rest}h" if rest else f"{days}d"
    return f"{days}d"
